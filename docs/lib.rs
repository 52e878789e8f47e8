//! The pages of the book whose examples are tested: `cargo test -p libcloud-book`. A test finds pages that
//! are left out.

/// A module for each page, so that the name of a failing example leads to it.
macro_rules! pages {
    ($($name:ident: $path:literal;)*) => { $(
        #[cfg(doctest)]
        #[doc = include_str!($path)]
        pub mod $name {}
    )* };
}

pages! {
    readme: "../README.md";
    architecture: "src/architecture.md";
    adding_a_provider: "src/adding-a-provider.md";
    testing_drivers: "src/testing-drivers.md";
    introduction: "src/introduction.md";
    getting_started: "src/getting-started.md";
    compute: "src/compute.md";
    storage: "src/storage.md";
    loadbalancer: "src/loadbalancer.md";
    dns: "src/dns.md";
    pricing: "src/pricing.md";
    deploy: "src/deploy.md";
    upgrade: "src/upgrade.md";
    objects: "src/objects.md";
    extensions: "src/extensions.md";
    concurrency: "src/concurrency.md";
    performance: "src/performance.md";
    connections: "src/connections.md";
    errors: "src/errors.md";
    testing: "src/testing.md";
    third_party: "src/third-party.md";
    providers: "src/providers.md";
    ec2: "src/providers/ec2.md";
    s3: "src/providers/s3.md";
    digitalocean_spaces: "src/providers/digitalocean_spaces.md";
    minio: "src/providers/minio.md";
    elb: "src/providers/elb.md";
    alb: "src/providers/alb.md";
    route53: "src/providers/route53.md";
    openstack: "src/providers/openstack.md";
    rackspace: "src/providers/rackspace.md";
    azure: "src/providers/azure.md";
    cloudstack: "src/providers/cloudstack.md";
    gandi: "src/providers/gandi.md";
    local: "src/providers/local.md";
    dummy: "src/providers/dummy.md";
}
