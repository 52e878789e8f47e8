//! What the tests of the service crates need of a driver, beside its methods.

/// Makes a type a driver without capabilities and extensions, whose clock stands at 2026-01-02T03:04:05Z:
/// `bare_driver!(Memory, "memory")`. The trait of the service is the test's own.
#[macro_export]
macro_rules! bare_driver {
    ($name:ty, $id:literal) => {
        impl ::libcloud_common::Extensions for $name {}

        impl ::libcloud_common::Driver for $name {
            fn descriptor(&self) -> ::libcloud_common::Descriptor {
                ::libcloud_common::Descriptor::new($id, $id, concat!("https://", $id, ".example"))
            }

            fn capabilities(&self) -> ::libcloud_common::Capabilities {
                ::libcloud_common::Capabilities::new()
            }

            fn clock(&self) -> ::std::sync::Arc<dyn ::libcloud_common::Clock> {
                let now = "2026-01-02T03:04:05Z".parse().expect("this is a time");
                ::std::sync::Arc::new(::libcloud_common::ManualClock::at(now))
            }
        }
    };
}

/// Defines another name for a driver: everything goes to the inner one. `wrapping_driver!(Wrapper(Memory), DnsDriver)`
#[macro_export]
macro_rules! wrapping_driver {
    ($name:ident($inner:ty), $service:ident) => {
        /// Another name for a driver: everything goes to the inner one.
        struct $name($inner);

        impl ::libcloud_common::Extensions for $name {
            fn parent(&self) -> Option<&dyn ::libcloud_common::Dispatch> {
                Some(&self.0)
            }
        }

        impl ::libcloud_common::Driver for $name {
            fn descriptor(&self) -> ::libcloud_common::Descriptor {
                ::libcloud_common::Descriptor::new("wrapper", "Wrapper", "https://wrapper.example")
            }

            fn capabilities(&self) -> ::libcloud_common::Capabilities {
                ::libcloud_common::Driver::capabilities(&self.0)
            }

            fn clock(&self) -> ::std::sync::Arc<dyn ::libcloud_common::Clock> {
                ::libcloud_common::Driver::clock(&self.0)
            }
        }

        impl $service for $name {
            fn inner(&self) -> Option<&dyn $service> {
                Some(&self.0)
            }
        }
    };
}
