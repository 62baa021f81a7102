//! What the node is made of: the dusk client's stack, built by SwarmBuilder as it does (V1Lazy).

use libp2p::identity::Keypair;
use libp2p::swarm::behaviour::toggle::Toggle;
use libp2p::swarm::NetworkBehaviour;
use libp2p::{identify, noise, ping, relay, rendezvous, tcp, yamux, Swarm, SwarmBuilder};
use std::time::Duration;

#[derive(NetworkBehaviour)]
pub struct Behaviour {
    pub relay: Toggle<relay::client::Behaviour>,
    pub rendezvous: rendezvous::client::Behaviour,
    pub identify: identify::Behaviour,
    pub ping: ping::Behaviour,
    pub stream: libp2p_stream::Behaviour,
    #[cfg(feature = "dusk")]
    pub dusk: crate::dusk::Dusk,
    #[cfg(feature = "punch")]
    pub punch: Toggle<libp2p::dcutr::Behaviour>,
}

/// `punch` lets the node try a direct connection beside each circuit, `raw` leaves the relay client out.
pub fn swarm(key: Keypair, punch: bool, raw: bool) -> Swarm<Behaviour> {
    assert!(!punch || cfg!(feature = "punch"), "this build has no hole punching");
    SwarmBuilder::with_existing_identity(key)
        .with_tokio()
        .with_tcp(tcp::Config::default(), noise::Config::new, yamux::Config::default)
        .expect("tcp transport")
        .with_relay_client(noise::Config::new, yamux::Config::default)
        .expect("relay transport")
        .with_behaviour(|key, relay| Behaviour {
            relay: (!raw).then_some(relay).into(),
            rendezvous: rendezvous::client::Behaviour::new(key.clone()),
            identify: identify::Behaviour::new(identify::Config::new("/dusk/1.0.0".into(), key.public())),
            ping: ping::Behaviour::new(ping::Config::new().with_interval(Duration::from_secs(5))),
            stream: libp2p_stream::Behaviour::new(),
            #[cfg(feature = "dusk")]
            dusk: crate::dusk::behaviour(key),
            #[cfg(feature = "punch")]
            punch: punch.then(|| libp2p::dcutr::Behaviour::new(key.public().to_peer_id())).into(),
        })
        .expect("behaviour")
        .with_swarm_config(|c| c.with_idle_connection_timeout(Duration::from_secs(300)))
        .build()
}
