//! Reserving: listening on a circuit address of the relay.

use crate::behaviour::BehaviourEvent;
use crate::driver::Driver;
use crate::jsonline::{Failure, Outcome};
use crate::waiter::Event;
use libp2p::core::transport::ListenerId;
use libp2p::multiaddr::Protocol;
use libp2p::relay::client::Event as RelayEvent;
use libp2p::swarm::SwarmEvent;
use libp2p::Multiaddr;
use serde_json::{json, Value};

/// The limit of a reservation or circuit as JSON; null when the relay sent none. (A macro, because
/// libp2p does not name the type.)
#[macro_export]
macro_rules! limit_value {
    ($limit:expr) => {
        match $limit {
            None => serde_json::Value::Null,
            Some(limit) => serde_json::json!({
                "seconds": limit.duration().map_or(0, |d| d.as_secs()),
                "bytes": limit.data_in_bytes().unwrap_or(0),
            }),
        }
    };
}

pub fn reserve(driver: &mut Driver, id: u64, relay: Multiaddr) -> Result<(), Failure> {
    let listener = driver.swarm.listen_on(relay.with(Protocol::P2pCircuit)).map_err(Failure::debug)?;
    let mut pending = Reservation { listener, addrs: Vec::new(), accepted: None };
    driver.waiters.add(id, "reserve", move |event| pending.look(event));
    Ok(())
}

/// Done when the relay has accepted and the listener has an address; the order of the two varies.
struct Reservation {
    listener: ListenerId,
    addrs: Vec<String>,
    accepted: Option<Value>,
}

impl Reservation {
    fn look(&mut self, event: &Event) -> Option<Outcome> {
        match event {
            SwarmEvent::NewListenAddr { listener_id, address } if *listener_id == self.listener => {
                self.addrs.push(address.to_string());
            }
            SwarmEvent::Behaviour(BehaviourEvent::Relay(RelayEvent::ReservationReqAccepted { limit, .. })) => {
                self.accepted = Some(limit_value!(limit));
            }
            SwarmEvent::ListenerClosed { listener_id, reason, .. } if *listener_id == self.listener => {
                return Some(Err(Failure::debug(reason)));
            }
            _ => return None,
        }
        let limit = self.accepted.clone()?;
        (!self.addrs.is_empty()).then(|| Ok(json!({ "addrs": self.addrs, "limit": limit })))
    }
}
