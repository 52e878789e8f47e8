//! Load balancers of any cloud: balancers, members and the driver trait.
