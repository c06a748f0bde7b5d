// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! Ports that another program has, another node as a rule.
//!
//! The SDK goes on in silence: the RPC server takes a random port, so that its user talks to the other node; litep2p shares the port, so
//! that each node gets some of the other's connections; metrics are not served. Here a port that the operator named ends the start, and
//! a default is replaced by a free port, which is told. RPC endpoints that are optional, as that of IPv6 is, are left out, which is
//! told too.

use polkadot_sdk::*;
use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, UdpSocket},
};

use log::Level;
use sc_chain_spec::ChainType;
use sc_network::{multiaddr::Protocol, Multiaddr};
use sc_service::{config::RpcEndpoint, Configuration, Error as ServiceError};

/// Ports that a search for a free one tries at most.
const TRIES: usize = 32;

/// Ports that the operator named. The others are defaults.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NamedPorts {
    /// `true` with `--rpc-port`.
    pub rpc: bool,
    /// `true` with `--prometheus-port`.
    pub prometheus: bool,
    /// `true` with `--port` or `--listen-addr`.
    pub p2p: bool,
}

/// Address of a socket that listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Socket {
    address: SocketAddr,
    is_udp: bool,
    /// `true` if `[::]` shall not have the connections of IPv4 too.
    is_v6_only: bool,
}

impl Socket {
    fn tcp(address: SocketAddr) -> Self {
        Self {
            address,
            is_udp: false,
            is_v6_only: false,
        }
    }

    /// The socket of an address of the network; `None` for those whose port is not known before.
    fn of(address: &Multiaddr) -> Option<Self> {
        let mut parts = address.iter();
        let ip: IpAddr = match parts.next()? {
            Protocol::Ip4(ip) => ip.into(),
            Protocol::Ip6(ip) => ip.into(),
            _ => return None,
        };
        let (port, is_udp) = match parts.next()? {
            Protocol::Tcp(port) => (port, false),
            Protocol::Udp(port) => (port, true),
            _ => return None,
        };
        Some(Self {
            address: SocketAddr::new(ip, port),
            is_udp,
            is_v6_only: true,
        })
    }

    fn with_port(mut self, port: u16) -> Self {
        self.address.set_port(port);
        self
    }

    fn at(mut self, ip: IpAddr) -> Self {
        self.address.set_ip(ip);
        self
    }

    /// Listens for a moment, and returns the address.
    fn listen(self) -> io::Result<SocketAddr> {
        if self.is_udp {
            UdpSocket::bind(self.address)?.local_addr()
        } else {
            TcpListener::bind(self.address)?.local_addr()
        }
    }

    /// `true` if the system refuses the address because it is in use. An address that cannot be used for another reason is the SDK's to
    /// report.
    fn is_in_use(self) -> bool {
        self.listen()
            .is_err_and(|error| error.kind() == io::ErrorKind::AddrInUse)
    }

    /// `true` if another program has the port.
    fn is_taken(self) -> bool {
        self.address.port() != 0 && self.is_in_use() && !self.is_taken_of_ipv4_alone()
    }

    /// `true` for `[::]` of the network, whose port another program has of IPv4 alone.
    ///
    /// The network listens there with `IPV6_V6ONLY`, which the standard library cannot set: its `[::]` wants the port of IPv4 too.
    /// So this is told from the other addresses of the port: IPv4 is in use, and the loopback of IPv6 is not, as it would be if a
    /// program had all of IPv6. A port that another program has of IPv4 and another one of a single further address of IPv6 is
    /// missed.
    fn is_taken_of_ipv4_alone(self) -> bool {
        self.is_v6_only
            && self.address.ip() == Ipv6Addr::UNSPECIFIED
            && !self.at(Ipv6Addr::LOCALHOST.into()).is_in_use()
            && self.at(Ipv4Addr::UNSPECIFIED.into()).is_in_use()
    }
}

/// A port that none of these sockets finds taken, in place of their own.
fn free_port(sockets: &[Socket]) -> io::Result<u16> {
    let first = sockets.first().ok_or(io::ErrorKind::InvalidInput)?;
    for _ in 0..TRIES {
        let port = first.with_port(0).listen()?.port();
        if !sockets
            .iter()
            .any(|socket| socket.with_port(port).is_taken())
        {
            return Ok(port);
        }
    }
    Err(io::ErrorKind::AddrInUse.into())
}

/// Sockets of one purpose.
struct Purpose {
    /// Name in messages.
    name: &'static str,
    /// Option that chooses the port.
    option: &'static str,
    /// `true` if another port will not do: the operator named this one, or others know it.
    stays: bool,
}

impl Purpose {
    /// Sockets for which to listen: the wanted ones, some perhaps with another port.
    ///
    /// # Errors
    /// A port that stays is taken, or there is no free one.
    fn settle(&self, wanted: &[Socket]) -> Result<Vec<Socket>, ServiceError> {
        let mut settled = wanted.to_vec();
        let ports: BTreeSet<u16> = wanted.iter().map(|socket| socket.address.port()).collect();
        for port in ports {
            let has_port = |socket: &&Socket| socket.address.port() == port;
            let alike: Vec<Socket> = wanted.iter().filter(has_port).copied().collect();
            let Some(taken) = alike.iter().find(|socket| socket.is_taken()) else {
                continue;
            };
            let taken_by_another = format!(
                "{}: the port of {} is taken by another program, perhaps by another node",
                self.name, taken.address
            );
            if self.stays {
                return Err(ServiceError::Other(format!(
                    "{taken_by_another}; end that one, or choose another port with {}",
                    self.option
                )));
            }
            let free = free_port(&alike)?;
            for socket in &mut settled {
                if socket.address.port() == port {
                    *socket = socket.with_port(free);
                }
            }
            log::warn!(
                "{taken_by_another}; this node uses {} instead; {} chooses a port",
                taken.with_port(free).address,
                self.option
            );
        }
        Ok(settled)
    }
}

/// Settles on ports for everything that listens.
///
/// # Errors
/// A port that the operator named is taken, or the port between nodes of a validator that others find by it.
pub(crate) fn settle(config: &mut Configuration, named: NamedPorts) -> Result<(), ServiceError> {
    if let Some(endpoints) = &mut config.rpc.addr {
        settle_rpc(endpoints, named.rpc)?;
    }
    if let Some(prometheus) = &mut config.prometheus_config {
        let metrics = Purpose {
            name: "Metrics for Prometheus",
            option: "--prometheus-port",
            stays: named.prometheus,
        };
        for socket in metrics.settle(&[Socket::tcp(prometheus.port)])? {
            prometheus.port = socket.address;
        }
    }
    let is_validator = config.role.is_authority();
    let stays = named.p2p || is_found_by_port(is_validator, &config.chain_spec.chain_type());
    settle_p2p(&mut config.network.listen_addresses, stays)
}

/// `true` for a node that would be lost to others at another port: they have a validator's port in lists of bootnodes and reserved
/// nodes, and its firewall lets that one in. A development chain is one node's own.
fn is_found_by_port(is_validator: bool, kind: &ChainType) -> bool {
    is_validator && *kind != ChainType::Development
}

fn settle_rpc(endpoints: &mut Vec<RpcEndpoint>, is_named: bool) -> Result<(), ServiceError> {
    let needed = |may_move: bool| -> Vec<Socket> {
        let chosen = endpoints
            .iter()
            .filter(|one| !one.is_optional && one.retry_random_port == may_move);
        chosen.map(|one| Socket::tcp(one.listen_addr)).collect()
    };
    // Those of `--experimental-rpc-endpoint` say themselves whether another port will do, and whether they are needed.
    Purpose {
        name: "RPC",
        option: "--experimental-rpc-endpoint",
        stays: true,
    }
    .settle(&needed(false))?;
    let wanted = needed(true);
    let settled = Purpose {
        name: "RPC",
        option: "--rpc-port",
        stays: is_named,
    }
    .settle(&wanted)?;
    let moved: BTreeMap<u16, u16> = wanted
        .iter()
        .zip(&settled)
        .map(|(before, after)| (before.address.port(), after.address.port()))
        .collect();
    for endpoint in endpoints.iter_mut().filter(|one| one.retry_random_port) {
        // An optional endpoint goes along with the needed one of its port. Where there is none, the SDK moves it, and logs where to.
        if let Some(port) = moved.get(&endpoint.listen_addr.port()) {
            endpoint.listen_addr.set_port(*port);
            // From here on the port is the one that was told.
            endpoint.retry_random_port = false;
        }
    }
    for (level, line) in leave_out(endpoints) {
        log::log!(level, "{line}");
    }
    Ok(())
}

/// `true` for an endpoint that the SDK leaves out in silence if its address cannot be had.
fn may_be_left_out(endpoint: &RpcEndpoint) -> bool {
    endpoint.is_optional && !endpoint.retry_random_port
}

/// Takes away the endpoints that the SDK would leave out, and returns a line of the log for each.
fn leave_out(endpoints: &mut Vec<RpcEndpoint>) -> Vec<(Level, String)> {
    let mut lines = Vec::new();
    endpoints.retain(|endpoint| {
        if !may_be_left_out(endpoint) {
            return true;
        }
        let address = endpoint.listen_addr;
        let Err(error) = Socket::tcp(address).listen() else {
            return true;
        };
        let line = if error.kind() == io::ErrorKind::AddrInUse {
            let why = "its port is taken by another program, perhaps by another node";
            (Level::Warn, format!("{address}: {why}"))
        } else {
            (Level::Info, format!("{address}: {error}"))
        };
        lines.push(line);
        false
    });
    // The SDK's listeners stay open, and on most systems one at `[::]` cannot be had after one at `0.0.0.0`.
    let mut open = Vec::new();
    endpoints.retain(|endpoint| match TcpListener::bind(endpoint.listen_addr) {
        Ok(listener) => {
            open.push(listener);
            true
        }
        Err(_) if !may_be_left_out(endpoint) => true,
        Err(_) => {
            let line = format!(
                "{}: another endpoint of this node has the port; --experimental-rpc-endpoint listen-addr=[::]:PORT in place of \
                 --rpc-external listens for IPv4 and IPv6",
                endpoint.listen_addr
            );
            lines.push((Level::Warn, line));
            false
        }
    });
    let told = |(level, line): (Level, String)| {
        (level, format!("RPC: this node does not listen at {line}"))
    };
    lines.into_iter().map(told).collect()
}

fn settle_p2p(addresses: &mut [Multiaddr], stays: bool) -> Result<(), ServiceError> {
    let wanted: Vec<Socket> = addresses.iter().filter_map(Socket::of).collect();
    let settled = Purpose {
        name: "Network",
        option: "--port or --listen-addr",
        stays,
    }
    .settle(&wanted)?;
    let known = addresses
        .iter_mut()
        .filter(|address| Socket::of(address).is_some());
    for (address, socket) in known.zip(settled) {
        *address = with_port(address, socket.address.port());
    }
    Ok(())
}

/// The same address with another port.
fn with_port(address: &Multiaddr, port: u16) -> Multiaddr {
    let part = |part| match part {
        Protocol::Tcp(_) => Protocol::Tcp(port),
        Protocol::Udp(_) => Protocol::Udp(port),
        other => other,
    };
    address.iter().map(part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    use sc_service::config::{RpcBatchRequestConfig, RpcMethods};

    /// A program that listens, and its address.
    fn other() -> (TcpListener, SocketAddr) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("it listens");
        (listener, address)
    }

    fn endpoint(listen_addr: SocketAddr, retry_random_port: bool) -> RpcEndpoint {
        RpcEndpoint {
            listen_addr,
            batch_config: RpcBatchRequestConfig::Unlimited,
            max_connections: 1,
            max_payload_in_mb: 1,
            max_payload_out_mb: 1,
            max_subscriptions_per_connection: 1,
            max_buffer_capacity_per_connection: 1,
            rate_limit: None,
            rate_limit_trust_proxy_headers: false,
            rate_limit_whitelisted_ips: Vec::new(),
            cors: None,
            rpc_methods: RpcMethods::Auto,
            is_optional: false,
            retry_random_port,
        }
    }

    /// The endpoints of the SDK's command line: one for each version of IP, the second not needed.
    fn endpoints(port: u16) -> Vec<RpcEndpoint> {
        let four = endpoint((Ipv4Addr::LOCALHOST, port).into(), true);
        let six = endpoint((Ipv6Addr::LOCALHOST, port).into(), true);
        vec![four, optional(six)]
    }

    fn optional(endpoint: RpcEndpoint) -> RpcEndpoint {
        RpcEndpoint {
            is_optional: true,
            ..endpoint
        }
    }

    fn addresses(endpoints: &[RpcEndpoint]) -> Vec<SocketAddr> {
        endpoints.iter().map(|one| one.listen_addr).collect()
    }

    fn refusal(result: Result<(), ServiceError>) -> String {
        result.expect_err("a port is taken").to_string()
    }

    #[test]
    fn a_named_rpc_port_that_is_taken_ends_the_start_with_what_to_do() {
        let (_other, address) = other();
        let error = refusal(settle_rpc(&mut endpoints(address.port()), true));
        let said = format!(
            "Other: RPC: the port of {address} is taken by another program, perhaps by another node; end that one, or choose \
             another port with --rpc-port"
        );
        assert_eq!(error, said);
        let own = &mut vec![endpoint(address, false)];
        let error = refusal(settle_rpc(own, false));
        assert!(error.ends_with("--experimental-rpc-endpoint"), "{error}");
    }

    #[test]
    fn a_default_rpc_port_that_is_taken_is_replaced_by_one_for_all_endpoints() {
        let (_other, address) = other();
        let mut moved = endpoints(address.port());
        settle_rpc(&mut moved, false).expect("others are free");
        let port = moved[0].listen_addr.port();
        assert!(port != 0 && port != address.port());
        assert_eq!(moved[0].listen_addr.ip(), address.ip());
        // A system without IPv6 has no second one.
        for endpoint in &moved {
            assert!(!endpoint.retry_random_port, "it could move once more");
            assert_eq!(endpoint.listen_addr.port(), port);
        }
    }

    #[test]
    fn an_optional_endpoint_that_cannot_be_had_is_left_out_with_a_line() {
        let (_other, taken) = other();
        // An address for documents, which no machine has.
        let foreign = SocketAddr::from(([192, 0, 2, 1], 9_944));
        let needed = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let all = vec![
            endpoint(needed, true),
            optional(endpoint(taken, false)),
            optional(endpoint(foreign, false)),
        ];
        let mut kept = all.clone();
        settle_rpc(&mut kept, true).expect("the needed one can be had");
        assert_eq!(addresses(&kept), [needed]);
        let lines = leave_out(&mut all.clone());
        let told = [(Level::Warn, taken), (Level::Info, foreign)];
        assert_eq!(lines.len(), told.len());
        for ((level, line), (expected, address)) in lines.into_iter().zip(told) {
            assert_eq!(level, expected, "{line}");
            let start = format!("RPC: this node does not listen at {address}: ");
            assert!(line.starts_with(&start), "{line}");
        }
    }

    #[test]
    fn an_endpoint_of_ipv6_alone_that_is_taken_does_not_move_the_rpc_or_end_the_start() {
        let Ok(other) = TcpListener::bind("[::1]:0") else {
            return; // A system without IPv6.
        };
        let port = other.local_addr().expect("it listens").port();
        for is_named in [true, false] {
            let mut kept = endpoints(port);
            settle_rpc(&mut kept, is_named).expect("IPv4 is free");
            let four = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
            assert_eq!(addresses(&kept), [four]);
        }
    }

    #[test]
    fn rpc_for_all_addresses_tells_that_ipv6_is_left_out() {
        let four = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
        let port = free_port(&[Socket::tcp(four)]).expect("a free port");
        let four = SocketAddr::from((Ipv4Addr::UNSPECIFIED, port));
        let six = SocketAddr::from((Ipv6Addr::UNSPECIFIED, port));
        let shares = TcpListener::bind(four).is_ok_and(|_first| TcpListener::bind(six).is_ok());
        if TcpListener::bind(six).is_err() || shares {
            return; // A system without IPv6, or one that keeps it apart.
        }
        let mut kept = vec![endpoint(four, false), optional(endpoint(six, false))];
        let lines = leave_out(&mut kept);
        assert_eq!(addresses(&kept), [four]);
        let [(Level::Warn, line)] = &lines[..] else {
            panic!("not one warning: {lines:?}");
        };
        let start = format!("RPC: this node does not listen at {six}: ");
        assert!(line.starts_with(&start), "{line}");
        assert!(line.contains("--experimental-rpc-endpoint"), "{line}");
    }

    #[test]
    fn ports_that_are_free_or_left_to_the_system_stay() {
        let (other, address) = other();
        drop(other);
        for port in [address.port(), 0] {
            let mut kept = endpoints(port);
            settle_rpc(&mut kept, true).expect("nothing is taken");
            let four = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
            assert_eq!(kept[0].listen_addr, four);
            for endpoint in kept {
                assert_eq!(endpoint.listen_addr.port(), port);
                assert!(!endpoint.retry_random_port);
            }
        }
    }

    #[test]
    fn a_port_between_nodes_is_not_shared_with_another_node() {
        let (_other, address) = other();
        let port = address.port();
        let listen = |transport: &str| -> Multiaddr {
            let address = format!("/ip4/127.0.0.1/{transport}");
            address.parse().expect("an address")
        };
        let wanted = [
            listen(&format!("tcp/{port}")),
            listen(&format!("tcp/{port}/ws")),
            listen(&format!("udp/{port}/webrtc-direct")),
        ];
        let error = refusal(settle_p2p(&mut wanted.clone(), true));
        assert!(error.contains(&address.to_string()), "{error}");
        assert!(error.ends_with("with --port or --listen-addr"), "{error}");
        let mut moved = wanted;
        settle_p2p(&mut moved, false).expect("others are free");
        let free = Socket::of(&moved[0]).expect("a socket").address.port();
        assert_ne!(free, port);
        let all = [
            listen(&format!("tcp/{free}")),
            listen(&format!("tcp/{free}/ws")),
            listen(&format!("udp/{free}/webrtc-direct")),
        ];
        assert_eq!(moved, all);
    }

    #[test]
    fn ipv6_alone_is_free_while_another_program_has_ipv4() {
        let (_other, address) = other();
        let port = address.port();
        let listen =
            |ip: &str| -> Multiaddr { format!("/{ip}/tcp/{port}").parse().expect("an address") };
        settle_p2p(&mut [listen("ip6/::")], true).expect("IPv6 is free");
        let error = refusal(settle_p2p(
            &mut [listen("ip6/::"), listen("ip4/0.0.0.0")],
            true,
        ));
        assert!(
            error.contains(&format!("0.0.0.0:{port} is taken")),
            "{error}"
        );
    }

    #[test]
    fn all_of_ipv6_is_taken_while_another_program_has_some() {
        for one in ["[::1]:0", "[::]:0"] {
            let Ok(other) = TcpListener::bind(one) else {
                return; // A system without IPv6.
            };
            let port = other.local_addr().expect("it listens").port();
            let wanted: Multiaddr = format!("/ip6/::/tcp/{port}").parse().expect("an address");
            let error = refusal(settle_p2p(&mut [wanted], true));
            assert!(error.contains(&format!("[::]:{port} is taken")), "{error}");
        }
    }

    #[test]
    fn a_validator_that_others_find_by_its_port_does_not_move() {
        for kind in [ChainType::Live, ChainType::Local] {
            assert!(is_found_by_port(true, &kind));
            assert!(!is_found_by_port(false, &kind));
        }
        assert!(!is_found_by_port(true, &ChainType::Development));
    }
}
