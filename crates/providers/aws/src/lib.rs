//! Amazon Web Services: EC2, S3.
