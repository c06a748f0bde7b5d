// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! Ports that another program has, another node as a rule.
//!
//! The SDK goes on in silence: the RPC server takes a random port, so that its user talks to the other node; litep2p shares the port, so
//! that each node gets some of the other's connections; metrics are not served. Here a port that the operator named ends the start, and
//! a default is replaced by a free port, which is told.

use polkadot_sdk::*;
use std::{
    collections::BTreeSet,
    io,
    net::{IpAddr, SocketAddr, TcpListener, UdpSocket},
};

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
}

impl Socket {
    fn tcp(address: SocketAddr) -> Self {
        Self {
            address,
            is_udp: false,
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
        })
    }

    fn with_port(mut self, port: u16) -> Self {
        self.address.set_port(port);
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

    /// `true` if another program has the port. A port that cannot be used for another reason is the SDK's to report.
    fn is_taken(self) -> bool {
        let is_taken = |error: io::Error| error.kind() == io::ErrorKind::AddrInUse;
        self.address.port() != 0 && self.listen().is_err_and(is_taken)
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
    /// `true` if the operator named the port.
    is_named: bool,
}

impl Purpose {
    /// Sockets for which to listen: the wanted ones, some perhaps with another port.
    ///
    /// # Errors
    /// A port that the operator named is taken, or there is no free one.
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
            if self.is_named {
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
/// A port that the operator named is taken.
pub(crate) fn settle(config: &mut Configuration, named: NamedPorts) -> Result<(), ServiceError> {
    if let Some(endpoints) = &mut config.rpc.addr {
        settle_rpc(endpoints, named.rpc)?;
    }
    if let Some(prometheus) = &mut config.prometheus_config {
        let metrics = Purpose {
            name: "Metrics for Prometheus",
            option: "--prometheus-port",
            is_named: named.prometheus,
        };
        for socket in metrics.settle(&[Socket::tcp(prometheus.port)])? {
            prometheus.port = socket.address;
        }
    }
    settle_p2p(&mut config.network.listen_addresses, named.p2p)
}

/// Sockets of some of these endpoints.
fn sockets(endpoints: &[RpcEndpoint], are: fn(&RpcEndpoint) -> bool) -> Vec<Socket> {
    let chosen = endpoints.iter().filter(|endpoint| are(endpoint));
    chosen
        .map(|endpoint| Socket::tcp(endpoint.listen_addr))
        .collect()
}

fn settle_rpc(endpoints: &mut [RpcEndpoint], is_named: bool) -> Result<(), ServiceError> {
    // Those of `--experimental-rpc-endpoint` say themselves whether another port will do, and whether they are needed.
    let needed = sockets(endpoints, |one| !one.retry_random_port && !one.is_optional);
    Purpose {
        name: "RPC",
        option: "--experimental-rpc-endpoint",
        is_named: true,
    }
    .settle(&needed)?;
    let settled = Purpose {
        name: "RPC",
        option: "--rpc-port",
        is_named,
    }
    .settle(&sockets(endpoints, |one| one.retry_random_port))?;
    let movable = endpoints
        .iter_mut()
        .filter(|endpoint| endpoint.retry_random_port);
    for (endpoint, socket) in movable.zip(settled) {
        endpoint.listen_addr = socket.address;
        // From here on the port is the one that was told.
        endpoint.retry_random_port = false;
    }
    Ok(())
}

fn settle_p2p(addresses: &mut [Multiaddr], is_named: bool) -> Result<(), ServiceError> {
    let wanted: Vec<Socket> = addresses.iter().filter_map(Socket::of).collect();
    let settled = Purpose {
        name: "Network",
        option: "--port or --listen-addr",
        is_named,
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

    use std::net::{Ipv4Addr, Ipv6Addr};

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
    fn endpoints(port: u16) -> [RpcEndpoint; 2] {
        let four = endpoint((Ipv4Addr::LOCALHOST, port).into(), true);
        let six = endpoint((Ipv6Addr::LOCALHOST, port).into(), true);
        let is_optional = true;
        [four, RpcEndpoint { is_optional, ..six }]
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
        let own = &mut [endpoint(address, false)];
        let error = refusal(settle_rpc(own, false));
        assert!(error.ends_with("--experimental-rpc-endpoint"), "{error}");
    }

    #[test]
    fn a_default_rpc_port_that_is_taken_is_replaced_by_one_for_all_endpoints() {
        let (_other, address) = other();
        let mut moved = endpoints(address.port());
        settle_rpc(&mut moved, false).expect("others are free");
        let [four, six] = moved.map(|endpoint| {
            assert!(!endpoint.retry_random_port, "it could move once more");
            endpoint.listen_addr
        });
        assert_eq!(four.ip(), address.ip());
        assert!(four.port() != 0 && four.port() != address.port());
        assert_eq!(six.port(), four.port());
    }

    #[test]
    fn ports_that_are_free_or_left_to_the_system_stay() {
        let (other, address) = other();
        drop(other);
        for port in [address.port(), 0] {
            let mut kept = endpoints(port);
            settle_rpc(&mut kept, true).expect("nothing is taken");
            let ports =
                kept.map(|endpoint| (endpoint.listen_addr.port(), endpoint.retry_random_port));
            assert_eq!(ports, [(port, false); 2]);
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
}
