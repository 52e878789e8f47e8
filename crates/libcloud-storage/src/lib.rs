//! Object storage and CDN of any cloud: containers, objects, the driver trait and transfers by path.
