//! The states of balancers and members, and how requests are shared out.

use libcloud_common::open_enum;

open_enum! {
    /// What a load balancer is doing.
    pub enum State {
        /// It takes requests.
        Running = "running",
        /// It is being made or changed.
        Pending = "pending",
        /// Something went wrong at the provider.
        Error = "error",
        /// It is gone.
        Deleted = "deleted",
    }
    else "unknown"
}

open_enum! {
    /// Whether a member gets requests.
    pub enum MemberCondition {
        /// It does.
        Enabled = "enabled",
        /// It does not.
        Disabled = "disabled",
        /// It gets no new ones; those that it has are finished.
        Draining = "draining",
    }
    else word
}

open_enum! {
    /// How a balancer chooses the member that gets the next request.
    ///
    /// ```
    /// use libcloud_loadbalancer::Algorithm;
    ///
    /// assert_eq!(Algorithm::from("ROUND_ROBIN"), Algorithm::RoundRobin);
    /// assert_eq!(Algorithm::RoundRobin.to_string(), "round_robin");
    /// ```
    pub enum Algorithm {
        /// By chance.
        Random = "random",
        /// One after the other.
        RoundRobin = "round_robin",
        /// The one with the fewest connections.
        LeastConnections = "least_connections",
        /// One after the other, some more often.
        WeightedRoundRobin = "weighted_round_robin",
        /// The one with the fewest connections for its weight.
        WeightedLeastConnections = "weighted_least_connections",
        /// The one that answers soonest.
        ShortestResponse = "shortest_response",
        /// The same one for the same client's address.
        PersistentIp = "persistent_ip",
        /// The one with the fewest connections of this balancer.
        LeastConnectionsMember = "least_connections_member",
        /// The one on the machine with the fewest connections of all balancers.
        LeastConnectionsNode = "least_connections_node",
        /// The one ranked best by its connections to this balancer and its answers.
        ObservedMember = "observed_member",
        /// The one on the machine ranked best by its connections to all balancers and its answers.
        ObservedNode = "observed_node",
        /// The one whose rank in this balancer improves.
        PredictiveMember = "predictive_member",
        /// The one on the machine whose rank in all balancers improves.
        PredictiveNode = "predictive_node",
    }
    else word
}
