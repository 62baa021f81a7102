//! What the dusk client has beside relay and rendezvous: gossipsub, Kademlia, and request-response
//! protocols that the relay does not know.

use crate::behaviour::BehaviourEvent;
use crate::driver::Driver;
use crate::jsonline::{answer, event, Failure};
use crate::verbs::{peer, text};
use crate::waiter::Event;
use libp2p::identity::Keypair;
use libp2p::kad::{self, store::MemoryStore};
use libp2p::request_response::{self, ProtocolSupport};
use libp2p::swarm::{NetworkBehaviour, SwarmEvent};
use libp2p::{gossipsub, Multiaddr, StreamProtocol};
use serde_json::{json, Value};
use std::time::Duration;

pub const SYNC: &str = "dusk/sync"; // the topic of documents, which only a client left to itself has

#[derive(NetworkBehaviour)]
pub struct Dusk {
    pub gossip: gossipsub::Behaviour,
    pub kad: kad::Behaviour<MemoryStore>,
    pub gif: request_response::cbor::Behaviour<Value, Value>,
    pub directory: request_response::cbor::Behaviour<Value, Value>,
    pub turn: request_response::cbor::Behaviour<Value, Value>,
}

pub fn behaviour(key: &Keypair) -> Dusk {
    let own = key.public().to_peer_id();
    let config = gossipsub::ConfigBuilder::default()
        .heartbeat_interval(Duration::from_secs(1))
        .validation_mode(gossipsub::ValidationMode::Strict)
        .build()
        .expect("gossipsub settings");
    Dusk {
        gossip: gossipsub::Behaviour::new(gossipsub::MessageAuthenticity::Signed(key.clone()), config)
            .expect("gossipsub"),
        kad: kad::Behaviour::new(own, MemoryStore::new(own)),
        gif: requests("/dusk/gif/1.0.0"),
        directory: requests("/dusk/directory/1.0.0"),
        turn: requests("/dusk/turn-credentials/1.0.0"),
    }
}

fn requests(name: &'static str) -> request_response::cbor::Behaviour<Value, Value> {
    let protocols = [(StreamProtocol::new(name), ProtocolSupport::Outbound)];
    request_response::cbor::Behaviour::new(protocols, request_response::Config::default())
}

/// Starts a verb of this part; false when it is none.
pub fn start(driver: &mut Driver, id: u64, verb: &str, command: &Value) -> Result<bool, Failure> {
    match verb {
        "explicit-peer" => driver.swarm.behaviour_mut().dusk.gossip.add_explicit_peer(&peer(command)?),
        "subscribe" => {
            let topic = gossipsub::IdentTopic::new(text(command, "topic")?);
            driver.swarm.behaviour_mut().dusk.gossip.subscribe(&topic).map_err(Failure::debug)?;
        }
        "publish" => {
            let topic = gossipsub::IdentTopic::new(text(command, "topic")?);
            let data = text(command, "data")?.into_bytes();
            driver.swarm.behaviour_mut().dusk.gossip.publish(topic, data).map_err(Failure::debug)?;
        }
        "kad-bootstrap" => return bootstrap(driver, id, command).map(|()| true),
        "request" => return request(driver, id, command).map(|()| true),
        _ => return Ok(false),
    }
    answer(id, Ok(json!({})));
    Ok(true)
}

/// Asks the relay to be a Kademlia node; a relay that is none lets the query end without it.
fn bootstrap(driver: &mut Driver, id: u64, command: &Value) -> Result<(), Failure> {
    let addr: Multiaddr = text(command, "addr")?.parse().map_err(Failure::debug)?;
    let kad = &mut driver.swarm.behaviour_mut().dusk.kad;
    kad.add_address(&peer(command)?, addr);
    let wanted = kad.bootstrap().map_err(Failure::debug)?;
    driver.waiters.add(id, "kad-bootstrap", move |event| match event {
        SwarmEvent::Behaviour(BehaviourEvent::Dusk(DuskEvent::Kad(kad::Event::OutboundQueryProgressed {
            id,
            step,
            result,
            ..
        }))) if *id == wanted && step.last => Some(Ok(json!({ "result": format!("{result:?}") }))),
        _ => None,
    });
    Ok(())
}

fn request(driver: &mut Driver, id: u64, command: &Value) -> Result<(), Failure> {
    let (to, wanted) = (peer(command)?, text(command, "protocol")?);
    let dusk = &mut driver.swarm.behaviour_mut().dusk;
    let behaviour = match wanted.as_str() {
        "/dusk/gif/1.0.0" => &mut dusk.gif,
        "/dusk/directory/1.0.0" => &mut dusk.directory,
        "/dusk/turn-credentials/1.0.0" => &mut dusk.turn,
        _ => return Err(Failure::new(format!("no request protocol {wanted}"))),
    };
    let sent = behaviour.send_request(&to, json!({ "interop": wanted }));
    driver.waiters.add(id, "request", move |event| match request_event(event, &wanted)? {
        request_response::Event::OutboundFailure { request_id, error, .. } if *request_id == sent => {
            Some(Err(Failure::debug(error)))
        }
        request_response::Event::Message { .. } => Some(Ok(json!({}))),
        _ => None,
    });
    Ok(())
}

fn request_event<'a>(event: &'a Event, protocol: &str) -> Option<&'a request_response::Event<Value, Value>> {
    let SwarmEvent::Behaviour(BehaviourEvent::Dusk(inner)) = event else { return None };
    match (protocol, inner) {
        ("/dusk/gif/1.0.0", DuskEvent::Gif(e)) => Some(e),
        ("/dusk/directory/1.0.0", DuskEvent::Directory(e)) => Some(e),
        ("/dusk/turn-credentials/1.0.0", DuskEvent::Turn(e)) => Some(e),
        _ => None,
    }
}

pub fn tell(happened: &DuskEvent) {
    if let DuskEvent::Gossip(gossipsub::Event::Message { message, .. }) = happened {
        if message.topic.as_str() == SYNC {
            return; // too long to be told whole; see alone.rs
        }
        let from = message.source.map(|p| p.to_string());
        let data = String::from_utf8_lossy(&message.data).into_owned();
        event("gossip", json!({ "from": from, "topic": message.topic.to_string(), "data": data }));
    }
}

/// A request that failed, of a client that nobody waits for.
pub fn tell_refusal(happened: &DuskEvent) {
    let (protocol, failed) = match happened {
        DuskEvent::Gif(failed) => ("/dusk/gif/1.0.0", failed),
        DuskEvent::Directory(failed) => ("/dusk/directory/1.0.0", failed),
        DuskEvent::Turn(failed) => ("/dusk/turn-credentials/1.0.0", failed),
        _ => return,
    };
    if let request_response::Event::OutboundFailure { error, .. } = failed {
        event("request-failed", json!({ "protocol": protocol, "code": Failure::debug(error).code }));
    }
}
