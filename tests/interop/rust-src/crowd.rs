//! Many nodes in one program: the clients behind one address.

use crate::behaviour::{swarm, Behaviour, BehaviourEvent};
use crate::jsonline::{answer, Failure};
use futures::StreamExt;
use libp2p::identity::Keypair;
use libp2p::multiaddr::Protocol;
use libp2p::relay::client::Event as RelayEvent;
use libp2p::swarm::SwarmEvent;
use libp2p::{Multiaddr, Swarm};
use serde_json::json;
use std::time::Duration;

const TRIES: u32 = 4; // as the dusk client: again after 2, 4, 8 seconds
const PATIENCE: Duration = Duration::from_secs(25);

/// Lets `count` nodes connect and reserve, all at once, and keeps them until the program ends.
pub fn start(id: u64, relay: Multiaddr, count: u64) {
    tokio::spawn(async move {
        let joining: Vec<_> = (0..count).map(|_| tokio::spawn(join(relay.clone()))).collect();
        let (mut reserved, mut most, mut last) = (0, 0, String::new());
        for one in joining {
            match one.await.expect("a node does not panic") {
                Ok(tries) => (reserved, most) = (reserved + 1, most.max(tries)),
                Err(failure) => last = failure.text,
            }
        }
        answer(id, Ok(json!({ "reserved": reserved, "most_tries": most, "last_error": last })));
    });
}

/// The number of tries that it took.
async fn join(relay: Multiaddr) -> Result<u32, Failure> {
    let mut node = swarm(Keypair::generate_ed25519(), false, false);
    for tries in 1.. {
        match tokio::time::timeout(PATIENCE, reserve(&mut node, &relay)).await {
            Ok(Ok(())) => {
                tokio::spawn(async move {
                    loop {
                        node.select_next_some().await;
                    }
                });
                return Ok(tries);
            }
            Ok(Err(failure)) if tries == TRIES => return Err(failure),
            Err(_) if tries == TRIES => return Err(Failure::new("no reservation came (TimedOut)")),
            _ => tokio::time::sleep(Duration::from_secs(1 << tries)).await,
        }
    }
    unreachable!("the tries come to an end")
}

async fn reserve(node: &mut Swarm<Behaviour>, relay: &Multiaddr) -> Result<(), Failure> {
    let circuits = relay.clone().with(Protocol::P2pCircuit);
    let listener = node.listen_on(circuits).map_err(Failure::debug)?;
    loop {
        match node.select_next_some().await {
            SwarmEvent::Behaviour(BehaviourEvent::Relay(RelayEvent::ReservationReqAccepted { .. })) => return Ok(()),
            SwarmEvent::ListenerClosed { listener_id, reason, .. } if listener_id == listener => {
                return Err(Failure::debug(reason));
            }
            _ => {}
        }
    }
}
