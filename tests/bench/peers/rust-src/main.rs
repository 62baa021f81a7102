//! A relay and rendezvous server on rust-libp2p with every limit off, on one thread: to measure beside dusk-relay.
//! Prints its address and runs until it is ended. On loopback only.

use futures::StreamExt;
use libp2p::swarm::{NetworkBehaviour, SwarmEvent};
use libp2p::{identify, noise, ping, relay, rendezvous, tcp, yamux, SwarmBuilder};
use std::error::Error;
use std::time::Duration;

const A_YEAR: Duration = Duration::from_secs(365 * 24 * 3600);

#[derive(NetworkBehaviour)]
struct Behaviour {
    relay: relay::Behaviour,
    rendezvous: rendezvous::server::Behaviour,
    identify: identify::Behaviour,
    ping: ping::Behaviour,
}

fn unlimited() -> relay::Config {
    let mut config = relay::Config::default();
    config.max_reservations = usize::MAX >> 1;
    config.max_reservations_per_peer = usize::MAX >> 1;
    config.reservation_duration = Duration::from_secs(24 * 3600);
    config.reservation_rate_limiters.clear();
    config.max_circuits = usize::MAX >> 1;
    config.max_circuits_per_peer = usize::MAX >> 1;
    config.max_circuit_duration = A_YEAR;
    config.max_circuit_bytes = 0; // no limit
    config.circuit_src_rate_limiters.clear();
    config
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut swarm = SwarmBuilder::with_new_identity()
        .with_tokio()
        .with_tcp(tcp::Config::default().nodelay(true), noise::Config::new, yamux::Config::default)?
        .with_behaviour(|key| Behaviour {
            relay: relay::Behaviour::new(key.public().to_peer_id(), unlimited()),
            rendezvous: rendezvous::server::Behaviour::new(rendezvous::server::Config::default()),
            identify: identify::Behaviour::new(identify::Config::new("/bench/1.0.0".to_string(), key.public())),
            ping: ping::Behaviour::default(),
        })?
        .with_swarm_config(|config| config.with_idle_connection_timeout(A_YEAR))
        .build();
    swarm.listen_on("/ip4/127.0.0.1/tcp/0".parse()?)?;
    loop {
        if let SwarmEvent::NewListenAddr { address, .. } = swarm.select_next_some().await {
            println!("  relay address: {address}/p2p/{}", swarm.local_peer_id());
            swarm.add_external_address(address);
        }
    }
}
