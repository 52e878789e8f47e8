//! What every load balancing driver does.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use libcloud_common::{BoxFuture, ErrorKind, Poller, Progress, Result};
use libcloud_compute::{Node, NodeState};
use libcloud_loadbalancer::{
    CreateBalancer, LoadBalancer, LoadBalancerDriver, LoadBalancerDriverExt as _, Member, State,
    UpdateBalancer,
};

use super::{
    Check, Context, Expectations, Problem, Report, Verdict, checks, done_or_missing, ensure, missing,
    refused, refused_as, same, unique_name,
};

/// A load balancing driver that joins the suite.
///
/// ```no_run
/// use libcloud_testkit::suite::{Expectations, LoadBalancers};
/// # use std::sync::Arc;
/// # use libcloud_loadbalancer::LoadBalancerDriver;
/// # async fn join(driver: Arc<dyn LoadBalancerDriver>, wrong: Arc<dyn LoadBalancerDriver>) {
///
/// let report = LoadBalancers::new(driver).wrong_credentials(wrong).run(Expectations::new()).await;
/// assert!(report.denied.is_empty());
/// # }
/// ```
pub struct LoadBalancers {
    driver: Arc<dyn LoadBalancerDriver>,
    wrong: Option<Vec<Arc<dyn LoadBalancerDriver>>>,
    protocol: String,
    unknown: String,
    members: [Member; 2],
    made: Mutex<Vec<LoadBalancer>>,
}

impl LoadBalancers {
    /// This driver joins. Balancers speak `http`, and their members are addresses.
    pub fn new(driver: Arc<dyn LoadBalancerDriver>) -> Self {
        Self {
            driver,
            wrong: None,
            protocol: "http".to_owned(),
            unknown: "libcloud-no-such-id".to_owned(),
            members: [Member::at("10.0.0.5", 8080), Member::at("10.0.0.6", 8080)],
            made: Mutex::default(),
        }
    }

    /// The same driver with credentials that the server must refuse. May be given again.
    pub fn wrong_credentials(mut self, driver: Arc<dyn LoadBalancerDriver>) -> Self {
        self.wrong.get_or_insert_default().push(driver);
        self
    }

    /// The driver has no credentials that could be wrong.
    pub fn without_credentials(mut self) -> Self {
        self.wrong = Some(Vec::new());
        self
    }

    /// The protocol of balancers.
    pub fn protocol(mut self, protocol: &str) -> Self {
        protocol.clone_into(&mut self.protocol);
        self
    }

    /// An id in the provider's form that no balancer has.
    pub fn unknown(mut self, id: &str) -> Self {
        id.clone_into(&mut self.unknown);
        self
    }

    /// Two that can be members: nodes, where a provider balances among those.
    pub fn members(mut self, members: [Member; 2]) -> Self {
        self.members = members;
        self
    }

    /// Runs the suite.
    ///
    /// # Panics
    /// With every check that failed, and every one that was expected to and did not.
    pub async fn run(self, expectations: Expectations) -> Report {
        super::run(&self, &checks(), &expectations).await
    }

    fn made(&self) -> MutexGuard<'_, Vec<LoadBalancer>> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn balancer(&self, members: impl IntoIterator<Item = Member>) -> Result<LoadBalancer> {
        let options = CreateBalancer::new(unique_name()?, 80, &self.protocol).members(members);
        let made = self.driver.create_balancer(options).await?;
        self.made().push(made.clone());
        let (driver, id) = (&self.driver, made.id.as_str());
        let poller = Poller::new(driver.clock(), format!("balancer {id} to run"))
            .interval(Duration::from_millis(200), Duration::from_secs(2))
            .timeout(Duration::from_secs(150));
        let looks = poller.run(|_| async move {
            let found = driver.get_balancer(id).await?;
            Ok(if found.state == State::Pending { Progress::Pending(None) } else { Progress::Done(found) })
        });
        looks.await
    }

    /// Address, or id, and port of each member, in order.
    async fn listed(&self, balancer: &LoadBalancer) -> Result<Vec<(String, Option<u16>)>> {
        let mut listed: Vec<_> =
            self.driver.balancer_list_members(balancer).await?.iter().map(place).collect();
        listed.sort_unstable();
        Ok(listed)
    }
}

impl std::fmt::Debug for LoadBalancers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LoadBalancers").field("driver", &self.driver.descriptor().id).finish_non_exhaustive()
    }
}

impl Context for LoadBalancers {
    type Driver = dyn LoadBalancerDriver;

    fn driver(&self) -> &Arc<dyn LoadBalancerDriver> {
        &self.driver
    }

    fn clean(&self) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            let made = std::mem::take(&mut *self.made());
            for balancer in &made {
                done_or_missing(self.driver.destroy_balancer(balancer).await)?;
            }
            Ok(())
        })
    }
}

fn checks() -> Vec<Check<LoadBalancers>> {
    checks![LoadBalancers;
        "protocols and algorithms/some" [list_protocols list_supported_algorithms] => kinds,
        "balancers/create, list, get, destroy, gone"
            [create_balancer list_balancers get_balancer destroy_balancer] => balancers,
        "balancers/what is not there is not found" [get_balancer destroy_balancer] => no_balancer,
        "balancers/an unknown protocol is refused" [create_balancer] => unknown_protocol,
        "balancers/each algorithm" [create_balancer get_balancer destroy_balancer] => algorithms,
        "balancers/unicode names" [create_balancer get_balancer destroy_balancer] => unicode,
        "balancers/update" [create_balancer update_balancer get_balancer destroy_balancer] => update,
        "members/from the start" [create_balancer get_balancer balancer_list_members] => from_the_start,
        "members/attach, list, detach, gone"
            [create_balancer get_balancer balancer_attach_member balancer_list_members balancer_detach_member] => members,
        "members/a node" [create_balancer get_balancer balancer_attach_compute_node balancer_list_members] => node,
        "members/what is not there is not found" [create_balancer get_balancer balancer_detach_member] => no_member,
        "credentials/wrong ones are refused" [list_balancers] => credentials,
    ]
}

fn place(member: &Member) -> (String, Option<u16>) {
    (member.ip.clone().unwrap_or_else(|| member.id.clone()), member.port)
}

async fn kinds(cx: &LoadBalancers) -> Verdict {
    let protocols = cx.driver.list_protocols().await?;
    ensure!(protocols.contains(&cx.protocol), "{} is not among {protocols:?}", cx.protocol);
    ensure!(!cx.driver.list_supported_algorithms().is_empty(), "there is no algorithm");
    Ok(())
}

async fn balancers(cx: &LoadBalancers) -> Verdict {
    let made = cx.balancer([]).await?;
    same("state and port", (&made.state, made.port), (&State::Running, Some(80)))?;
    ensure!(
        made.ip.as_deref().is_some_and(|ip| !ip.is_empty()),
        "a balancer that runs has no address: {made:?}"
    );
    let times = |all: &[LoadBalancer]| {
        all.iter().filter(|other| other.id == made.id && other.name == made.name).count()
    };
    same("times listed", times(&cx.driver.list_balancers().await?), 1)?;
    cx.driver.destroy_balancer(&made).await?;
    same("times listed once destroyed", times(&cx.driver.list_balancers().await?), 0)?;
    missing("get_balancer of a destroyed one", cx.driver.get_balancer(&made.id).await, "balancer", &made.id)
}

async fn no_balancer(cx: &LoadBalancers) -> Verdict {
    let id = cx.unknown.as_str();
    missing("get_balancer", cx.driver.get_balancer(id).await, "balancer", id)?;
    let gone = LoadBalancer::from_id(id);
    missing("destroy_balancer", cx.driver.destroy_balancer(&gone).await, "balancer", id)
}

async fn unknown_protocol(cx: &LoadBalancers) -> Verdict {
    let made = cx.driver.create_balancer(CreateBalancer::new(unique_name()?, 80, "carrier-pigeon")).await;
    if let Ok(balancer) = &made {
        cx.made().push(balancer.clone());
    }
    refused_as("an unknown protocol", made, &[ErrorKind::InvalidArgument, ErrorKind::NotSupported]).map(drop)
}

async fn algorithms(cx: &LoadBalancers) -> Verdict {
    for algorithm in cx.driver.list_supported_algorithms() {
        let options = CreateBalancer::new(unique_name()?, 80, &cx.protocol).algorithm(algorithm.clone());
        let made = cx.driver.create_balancer(options).await?;
        cx.made().push(made.clone());
        same(&format!("the balancer with {algorithm}"), cx.driver.get_balancer(&made.id).await?.id, made.id)?;
    }
    Ok(())
}

async fn unicode(cx: &LoadBalancers) -> Verdict {
    let name = format!("libcloud + ü <{}>", unique_name()?);
    let made = cx.driver.create_balancer(CreateBalancer::new(&name, 80, &cx.protocol)).await?;
    cx.made().push(made.clone());
    same("the name", cx.driver.get_balancer(&made.id).await?.name, name)
}

async fn update(cx: &LoadBalancers) -> Verdict {
    let (made, name) = (cx.balancer([]).await?, unique_name()?);
    let updated = cx.driver.update_balancer_with(&made, UpdateBalancer::new().name(&name)).await?;
    same("the updated balancer", (&updated.id, &updated.name, updated.port), (&made.id, &name, made.port))?;
    let found = cx.driver.get_balancer(&made.id).await?;
    same("the balancer found", (&found.name, found.port), (&name, made.port))
}

async fn from_the_start(cx: &LoadBalancers) -> Verdict {
    let made = cx.balancer(cx.members.clone()).await?;
    let mut expected: Vec<_> = cx.members.iter().map(place).collect();
    expected.sort_unstable();
    same("the members", cx.listed(&made).await?, expected)
}

async fn members(cx: &LoadBalancers) -> Verdict {
    let made = cx.balancer([]).await?;
    same("no member", cx.listed(&made).await?, vec![])?;
    let [first, second] = &cx.members;
    let first = cx.driver.balancer_attach_member(&made, first).await?;
    let second = cx.driver.balancer_attach_member(&made, second).await?;
    ensure!(!first.id.is_empty() && first.id != second.id, "the ids are {:?} and {:?}", first.id, second.id);
    let mut expected: Vec<_> = cx.members.iter().map(place).collect();
    expected.sort_unstable();
    same("both members", cx.listed(&made).await?, expected)?;
    for member in cx.driver.balancer_list_members(&made).await? {
        same("a member's balancer", member.balancer.as_ref().map(|balancer| &balancer.id), Some(&made.id))?;
    }
    cx.driver.balancer_detach_member(&made, &first).await?;
    same("the one that is left", cx.listed(&made).await?, vec![place(&second)])?;
    cx.driver.balancer_detach_member(&made, &second).await?;
    same("none left", cx.listed(&made).await?, vec![])
}

async fn node(cx: &LoadBalancers) -> Verdict {
    let made = cx.balancer([]).await?;
    let [first, _] = &cx.members;
    let addresses = first.ip.clone().into_iter().collect();
    let node = Node::new(first.id.as_str(), "", NodeState::Running).with_ips(addresses, vec![]);
    let member = cx.driver.balancer_attach_compute_node(&made, &node).await?;
    same("the member", place(&member).0, place(first).0)?;
    let listed = cx.listed(&made).await?;
    same("members", listed.len(), 1)
}

async fn no_member(cx: &LoadBalancers) -> Verdict {
    let made = cx.balancer([]).await?;
    let gone = cx.driver.balancer_detach_member(&made, &Member::from_id(&cx.unknown)).await;
    refused("balancer_detach_member", gone, ErrorKind::NotFound)
}

async fn credentials(cx: &LoadBalancers) -> Verdict {
    let Some(wrong) = &cx.wrong else {
        return Err(Problem::Wrong("neither wrong_credentials nor without_credentials was said".into()));
    };
    if wrong.is_empty() {
        return Err(Problem::Denied);
    }
    for wrong in wrong {
        let kind = ErrorKind::InvalidCredentials;
        refused("list_balancers", wrong.list_balancers().await, kind)?;
        let options = CreateBalancer::new(unique_name()?, 80, &cx.protocol);
        refused("create_balancer", wrong.create_balancer(options).await, kind)?;
    }
    Ok(())
}
