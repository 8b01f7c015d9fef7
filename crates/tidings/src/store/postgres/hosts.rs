//! The hosts of a store, which are tried one after the other.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio_postgres::Config;
use tokio_postgres::config::{Host, LoadBalanceHosts};

/// A configuration for each host of an address.
#[derive(Debug)]
pub(super) struct Hosts {
    each: Vec<Config>,
    /// The one that accepted the last connection.
    last: AtomicUsize,
    is_random: bool,
}

impl Hosts {
    /// The hosts of `server`, which names at least one.
    pub(super) fn of(server: &Config) -> Self {
        let number = server.get_hosts().len().max(server.get_hostaddrs().len());
        Self {
            each: (0..number).map(|index| alone(server, index)).collect(),
            last: AtomicUsize::new(0),
            is_random: server.get_load_balance_hosts() == LoadBalanceHosts::Random,
        }
    }

    /// How many hosts there are.
    pub(super) fn number(&self) -> u32 {
        u32::try_from(self.each.len()).unwrap_or(u32::MAX)
    }

    /// The hosts in the order in which to try them, with their positions in the address. The one that accepted the
    /// last connection is the first, so that not every new connection waits for a host that is off.
    pub(super) fn in_order(&self) -> impl Iterator<Item = (usize, &Config)> {
        let number = self.each.len();
        let first = match self.is_random {
            true => fastrand::usize(..number),
            false => self.last.load(Ordering::Relaxed),
        };
        (0..number).map(move |offset| {
            let index = (first + offset) % number;
            (index, &self.each[index])
        })
    }

    /// Notes the host that has accepted a connection.
    pub(super) fn accepted_by(&self, index: usize) {
        self.last.store(index, Ordering::Relaxed);
    }
}

/// All that `server` says, of one host only.
fn alone(server: &Config, index: usize) -> Config {
    let mut one = Config::new();
    match server.get_hosts().get(index) {
        Some(Host::Tcp(name)) => {
            one.host(name);
        }
        Some(Host::Unix(path)) => {
            one.host_path(path);
        }
        None => {}
    }
    if let Some(address) = server.get_hostaddrs().get(index) {
        one.hostaddr(*address);
    }
    let ports = server.get_ports();
    if let Some(port) = ports.get(index).or(ports.first()) {
        one.port(*port);
    }
    if let Some(user) = server.get_user() {
        one.user(user);
    }
    if let Some(password) = server.get_password() {
        one.password(password);
    }
    if let Some(name) = server.get_dbname() {
        one.dbname(name);
    }
    if let Some(options) = server.get_options() {
        one.options(options);
    }
    if let Some(name) = server.get_application_name() {
        one.application_name(name);
    }
    if let Some(limit) = server.get_connect_timeout() {
        one.connect_timeout(*limit);
    }
    if let Some(limit) = server.get_tcp_user_timeout() {
        one.tcp_user_timeout(*limit);
    }
    if let Some(interval) = server.get_keepalives_interval() {
        one.keepalives_interval(interval);
    }
    if let Some(retries) = server.get_keepalives_retries() {
        one.keepalives_retries(retries);
    }
    one.keepalives(server.get_keepalives())
        .keepalives_idle(server.get_keepalives_idle())
        .ssl_mode(server.get_ssl_mode())
        .ssl_negotiation(server.get_ssl_negotiation())
        .target_session_attrs(server.get_target_session_attrs())
        .channel_binding(server.get_channel_binding());
    one
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPTIONS: &str = "user=u password=p dbname=d options='-c a=b' application_name=n sslmode=require \
        sslnegotiation=direct connect_timeout=3 tcp_user_timeout=4 keepalives=0 keepalives_idle=5 \
        keepalives_interval=6 keepalives_retries=7 target_session_attrs=read-write channel_binding=require";

    fn config(hosts: &str) -> Config {
        format!("{hosts} {OPTIONS}").parse().unwrap()
    }

    #[test]
    fn each_host_has_all_that_the_address_says() {
        let several = "host=a,b,/run/c hostaddr=10.0.0.1,10.0.0.2,10.0.0.3 port=1,2,3";
        let hosts = Hosts::of(&config(several));
        let single = [
            "host=a hostaddr=10.0.0.1 port=1",
            "host=b hostaddr=10.0.0.2 port=2",
            "host=/run/c hostaddr=10.0.0.3 port=3",
        ];
        let expected: Vec<_> = single.map(config).into_iter().enumerate().collect();
        let found: Vec<_> = hosts
            .in_order()
            .map(|(index, one)| (index, one.clone()))
            .collect();
        assert_eq!(found, expected);
        let shared = Hosts::of(&config("host=a,b port=9"));
        let ports = shared.in_order().map(|(_, one)| one.get_ports().to_vec());
        assert_eq!(ports.collect::<Vec<_>>(), [[9], [9]]);
    }

    #[test]
    fn the_host_that_accepted_the_last_connection_is_the_first() {
        let hosts = Hosts::of(&config("host=a,b,c"));
        let order = || hosts.in_order().map(|(index, _)| index).collect::<Vec<_>>();
        assert_eq!(order(), [0, 1, 2]);
        hosts.accepted_by(1);
        assert_eq!(order(), [1, 2, 0]);
    }
}
