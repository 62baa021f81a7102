//! The one task that owns the swarm: takes commands, shows each event to whoever waits, keeps what the
//! verbs ask for later (open connections, what identify and ping said).

use crate::behaviour::{Behaviour, BehaviourEvent};
use crate::jsonline::{event, Failure};
use crate::limit_value;
use crate::raw::Raw;
use crate::transfer;
use crate::waiter::{Event, Waiters};
use futures::StreamExt;
use libp2p::core::ConnectedPoint;
use libp2p::swarm::{ConnectionId, SwarmEvent};
use libp2p::{identify, ping, relay, PeerId, Swarm};
use serde_json::{json, Value};
use std::collections::HashMap;
use std::time::Duration;
use tokio::sync::mpsc;

pub struct Driver {
    pub swarm: Swarm<Behaviour>,
    pub waiters: Waiters,
    pub connections: Vec<(ConnectionId, PeerId, Value)>,
    pub identities: HashMap<PeerId, Value>,
    pub pings: HashMap<PeerId, Duration>,
    pub raw: Option<Raw>, // when hop and stop are spoken by hand
    outbound_limit: Value,
    inbound_limits: HashMap<PeerId, Value>,
    #[cfg(feature = "dusk")]
    pub alone: Option<crate::alone::Alone>,
}

impl Driver {
    pub fn new(swarm: Swarm<Behaviour>, raw: bool) -> Self {
        let mut control = swarm.behaviour().stream.new_control();
        transfer::accept_all(&mut control);
        let raw = raw.then(Raw::default);
        if let Some(raw) = &raw {
            raw.accept_all(&mut control);
        }
        Driver {
            swarm,
            waiters: Waiters::default(),
            connections: Vec::new(),
            identities: HashMap::new(),
            pings: HashMap::new(),
            raw,
            outbound_limit: Value::Null,
            inbound_limits: HashMap::new(),
            #[cfg(feature = "dusk")]
            alone: None,
        }
    }

    pub fn own_id(&self) -> String {
        self.swarm.local_peer_id().to_string()
    }

    pub fn listen(&mut self, addr: &str) {
        self.swarm.listen_on(addr.parse().expect("a multiaddr")).expect("listening");
    }

    pub async fn run(&mut self, mut commands: mpsc::UnboundedReceiver<Value>) {
        let mut tick = tokio::time::interval(Duration::from_millis(250));
        loop {
            tokio::select! {
                command = commands.recv() => match command {
                    Some(command) if command["do"] != "quit" => self.execute(&command),
                    Some(command) => {
                        crate::jsonline::answer(command["id"].as_u64().unwrap_or(0), Ok(json!({})));
                        return;
                    }
                    None => return,
                },
                event = self.swarm.select_next_some() => self.handle(event),
                _ = tick.tick() => self.tick(),
            }
        }
    }

    fn tick(&mut self) {
        self.waiters.expire();
        #[cfg(feature = "dusk")]
        if let Some(alone) = &mut self.alone {
            alone.tick(&mut self.swarm);
        }
    }

    fn handle(&mut self, happened: Event) {
        self.remember(&happened);
        #[cfg(feature = "dusk")]
        if let Some(alone) = &mut self.alone {
            alone.see(&mut self.swarm, &happened);
        }
        self.waiters.show(&happened);
    }

    fn remember(&mut self, happened: &Event) {
        match happened {
            SwarmEvent::ConnectionEstablished { peer_id, connection_id, endpoint, .. } => {
                let about = self.describe(peer_id, endpoint);
                event("connected", about.clone());
                self.connections.push((*connection_id, *peer_id, about));
            }
            SwarmEvent::ConnectionClosed { peer_id, connection_id, cause, .. } => {
                self.connections.retain(|(id, _, _)| id != connection_id);
                let cause = cause.as_ref().map(|c| format!("{c:?}"));
                event("disconnected", json!({ "peer": peer_id.to_string(), "cause": cause }));
            }
            SwarmEvent::NewListenAddr { address, .. } => event("listening", json!({ "addr": address.to_string() })),
            SwarmEvent::ListenerClosed { reason, addresses, .. } => {
                let addrs: Vec<String> = addresses.iter().map(|a| a.to_string()).collect();
                event("listener-closed", json!({ "addrs": addrs, "reason": format!("{reason:?}") }));
            }
            SwarmEvent::Behaviour(inner) => self.remember_behaviour(inner),
            _ => {}
        }
    }

    fn remember_behaviour(&mut self, happened: &BehaviourEvent) {
        match happened {
            BehaviourEvent::Relay(relay::client::Event::ReservationReqAccepted { renewal, .. }) => {
                event("reservation", json!({ "renewal": renewal }));
            }
            BehaviourEvent::Relay(relay::client::Event::OutboundCircuitEstablished { limit, .. }) => {
                self.outbound_limit = limit_value!(limit);
            }
            BehaviourEvent::Relay(relay::client::Event::InboundCircuitEstablished { src_peer_id, limit }) => {
                self.inbound_limits.insert(*src_peer_id, limit_value!(limit));
            }
            BehaviourEvent::Identify(identify::Event::Received { peer_id, info, .. }) => {
                self.identities.insert(*peer_id, identified(info));
            }
            BehaviourEvent::Ping(ping::Event { peer, result: Ok(time), .. }) => {
                self.pings.insert(*peer, *time);
            }
            #[cfg(feature = "punch")]
            BehaviourEvent::Punch(done) => {
                let error = done.result.as_ref().err().map(|e| format!("{e:?}"));
                event("punch", json!({ "peer": done.remote_peer_id.to_string(), "error": error }));
            }
            #[cfg(feature = "dusk")]
            BehaviourEvent::Dusk(inner) => crate::dusk::tell(inner),
            _ => {}
        }
    }

    fn describe(&self, peer: &PeerId, endpoint: &ConnectedPoint) -> Value {
        let relayed = endpoint.is_relayed();
        let limit = match (relayed, endpoint.is_dialer()) {
            (false, _) => Value::Null,
            (true, true) => self.outbound_limit.clone(),
            (true, false) => self.inbound_limits.get(peer).cloned().unwrap_or_default(),
        };
        json!({
            "peer": peer.to_string(),
            "remote": endpoint.get_remote_address().to_string(),
            "direction": if endpoint.is_dialer() { "outbound" } else { "inbound" },
            "limit": limit,
        })
    }

    pub fn newest_connection(&self, peer: &PeerId) -> Result<&Value, Failure> {
        let found = self.connections.iter().rev().find(|(_, id, _)| id == peer);
        found.map(|(_, _, about)| about).ok_or_else(|| Failure::new(format!("not connected to {peer}")))
    }
}

pub fn identified(info: &identify::Info) -> Value {
    let listen: Vec<String> = info.listen_addrs.iter().map(|a| a.to_string()).collect();
    let protocols: Vec<&str> = info.protocols.iter().map(|p| p.as_ref()).collect();
    json!({
        "agent": info.agent_version,
        "protocol_version": info.protocol_version,
        "protocols": protocols,
        "listen": listen,
        "observed": info.observed_addr.to_string(),
    })
}
