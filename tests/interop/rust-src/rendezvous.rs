//! The rendezvous verbs.

use crate::behaviour::BehaviourEvent;
use crate::driver::Driver;
use crate::jsonline::{answer, Failure, Outcome};
use crate::verbs::{peer, text};
use crate::waiter::Event;
use libp2p::rendezvous::client::Event as RendezvousEvent;
use libp2p::rendezvous::{Cookie, Namespace, Registration};
use libp2p::swarm::SwarmEvent;
use serde_json::{json, Value};

pub fn register(driver: &mut Driver, id: u64, command: &Value) -> Result<(), Failure> {
    let (relay, wanted) = (peer(command)?, namespace(command)?);
    let behaviour = &mut driver.swarm.behaviour_mut().rendezvous;
    behaviour.register(wanted.clone(), relay, command["ttl"].as_u64()).map_err(Failure::debug)?;
    driver.waiters.add(id, "register", move |event| match rendezvous_event(event)? {
        RendezvousEvent::Registered { namespace, ttl, .. } if *namespace == wanted => Some(Ok(json!({ "ttl": ttl }))),
        RendezvousEvent::RegisterFailed { namespace, error, .. } if *namespace == wanted => {
            Some(Err(Failure::debug(error)))
        }
        _ => None,
    });
    Ok(())
}

pub fn discover(driver: &mut Driver, id: u64, command: &Value) -> Result<(), Failure> {
    let relay = peer(command)?;
    let wanted = command["ns"].as_str().map(|_| namespace(command)).transpose()?;
    let cookie = command["cookie"].as_str().map(from_hex).transpose()?;
    let cookie = cookie.map(Cookie::from_wire_encoding).transpose().map_err(Failure::debug)?;
    let behaviour = &mut driver.swarm.behaviour_mut().rendezvous;
    behaviour.discover(wanted.clone(), cookie, command["limit"].as_u64(), relay);
    driver.waiters.add(id, "discover", move |event| match rendezvous_event(event)? {
        RendezvousEvent::Discovered { registrations, cookie, .. } if cookie.namespace() == wanted.as_ref() => {
            Some(discovered(registrations, cookie))
        }
        RendezvousEvent::DiscoverFailed { namespace, error, .. } if *namespace == wanted => {
            Some(Err(Failure::debug(error)))
        }
        _ => None,
    });
    Ok(())
}

/// Nothing answers an UNREGISTER.
pub fn unregister(driver: &mut Driver, id: u64, command: &Value) -> Result<(), Failure> {
    let (relay, namespace) = (peer(command)?, namespace(command)?);
    driver.swarm.behaviour_mut().rendezvous.unregister(namespace, relay);
    answer(id, Ok(json!({})));
    Ok(())
}

fn rendezvous_event(event: &Event) -> Option<&RendezvousEvent> {
    match event {
        SwarmEvent::Behaviour(BehaviourEvent::Rendezvous(inner)) => Some(inner),
        _ => None,
    }
}

fn discovered(registrations: &[Registration], cookie: &Cookie) -> Outcome {
    let records: Vec<Value> = registrations.iter().map(record).collect();
    Ok(json!({ "records": records, "cookie": to_hex(&cookie.clone().into_wire_encoding()) }))
}

fn record(registration: &Registration) -> Value {
    let addrs: Vec<String> = registration.record.addresses().iter().map(|a| a.to_string()).collect();
    json!({
        "peer": registration.record.peer_id().to_string(),
        "ns": registration.namespace.to_string(),
        "ttl": registration.ttl,
        "addrs": addrs,
    })
}

fn namespace(command: &Value) -> Result<Namespace, Failure> {
    Namespace::new(text(command, "ns")?).map_err(Failure::debug)
}

fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn from_hex(text: &str) -> Result<Vec<u8>, Failure> {
    let pairs = text.as_bytes().chunks(2);
    let digits = pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap_or("?"), 16));
    digits.collect::<Result<_, _>>().map_err(Failure::debug)
}
