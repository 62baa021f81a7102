//! The verbs, by name.

use crate::behaviour::BehaviourEvent;
use crate::driver::{identified, Driver};
use crate::jsonline::{answer, Failure};
use crate::{crowd, raw, relay, rendezvous, transfer};
use libp2p::multiaddr::Protocol;
use libp2p::swarm::dial_opts::{DialOpts, PeerCondition};
use libp2p::swarm::SwarmEvent;
use libp2p::{identify, ping, Multiaddr, PeerId, StreamProtocol};
use serde_json::{json, Value};

impl Driver {
    pub fn execute(&mut self, command: &Value) {
        let id = command["id"].as_u64().unwrap_or(0);
        if let Err(failure) = self.start(id, command) {
            answer(id, Err(failure));
        }
    }

    /// Starts a verb. It answers by itself, now or when the event comes that it waits for.
    fn start(&mut self, id: u64, command: &Value) -> Result<(), Failure> {
        let verb = command["do"].as_str().unwrap_or("");
        if raw::start(self, id, verb, command)? {
            return Ok(());
        }
        match verb {
            "connect" | "dial" => self.dial(id, address(command)?)?,
            "reserve" => relay::reserve(self, id, address(command)?)?,
            "identify" => self.identify(id, peer(command)?),
            "ping" => self.ping(id, peer(command)?),
            "transfer" => self.transfer(id, peer(command)?, command["bytes"].as_u64().unwrap_or(0)),
            "pace" => {
                transfer::set_pace(command["bytes_per_second"].as_u64().unwrap_or(0));
                answer(id, Ok(json!({})));
            }
            "open" => self.open(id, peer(command)?, text(command, "protocol")?)?,
            "connections" => self.list(id, peer(command)?),
            "close" => {
                let _ = self.swarm.disconnect_peer_id(peer(command)?);
                answer(id, Ok(json!({})));
            }
            "crowd" => crowd::start(id, address(command)?, command["count"].as_u64().unwrap_or(0)),
            "register" => rendezvous::register(self, id, command)?,
            "discover" => rendezvous::discover(self, id, command)?,
            "unregister" => rendezvous::unregister(self, id, command)?,
            #[cfg(feature = "dusk")]
            verb if crate::dusk::start(self, id, verb, command)? => {}
            other => return Err(Failure { code: "NO_VERB", text: format!("no verb {other}") }),
        }
        Ok(())
    }

    /// Dials even if connected already, as the dusk client does.
    fn dial(&mut self, id: u64, addr: Multiaddr) -> Result<(), Failure> {
        let Some(Protocol::P2p(peer)) = addr.iter().last() else {
            return Err(Failure::new(format!("{addr} does not end in a peer id")));
        };
        let dial = DialOpts::peer_id(peer).addresses(vec![addr]).condition(PeerCondition::Always).build();
        let connection = dial.connection_id();
        self.swarm.dial(dial).map_err(Failure::debug)?;
        self.waiters.add(id, "dial", move |event| match event {
            SwarmEvent::ConnectionEstablished { peer_id, connection_id, endpoint, .. }
                if *connection_id == connection =>
            {
                Some(Ok(json!({ "peer": peer_id.to_string(), "remote": endpoint.get_remote_address().to_string() })))
            }
            SwarmEvent::OutgoingConnectionError { connection_id, error, .. } if *connection_id == connection => {
                Some(Err(Failure::debug(error)))
            }
            _ => None,
        });
        Ok(())
    }

    /// What the identify exchange said that runs by itself on each connection.
    fn identify(&mut self, id: u64, peer: PeerId) {
        if let Some(known) = self.identities.get(&peer) {
            return answer(id, Ok(known.clone()));
        }
        self.waiters.add(id, "identify", move |event| match event {
            SwarmEvent::Behaviour(BehaviourEvent::Identify(identify::Event::Received { peer_id, info, .. }))
                if *peer_id == peer =>
            {
                Some(Ok(identified(info)))
            }
            SwarmEvent::Behaviour(BehaviourEvent::Identify(identify::Event::Error { peer_id, error, .. }))
                if *peer_id == peer =>
            {
                Some(Err(Failure::debug(error)))
            }
            _ => None,
        });
    }

    /// The next answer to the pings that run by themselves, or the first if it was there already.
    fn ping(&mut self, id: u64, peer: PeerId) {
        if let Some(time) = self.pings.remove(&peer) {
            return answer(id, Ok(json!({ "ms": time.as_secs_f64() * 1000.0 })));
        }
        self.waiters.add(id, "ping", move |event| match event {
            SwarmEvent::Behaviour(BehaviourEvent::Ping(ping::Event { peer: from, result, .. })) if *from == peer => {
                Some(match result {
                    Ok(time) => Ok(json!({ "ms": time.as_secs_f64() * 1000.0 })),
                    Err(failure) => Err(Failure::debug(failure)),
                })
            }
            _ => None,
        });
    }

    fn transfer(&mut self, id: u64, peer: PeerId, size: u64) {
        let mut control = self.swarm.behaviour().stream.new_control();
        tokio::spawn(async move { answer(id, transfer::open(&mut control, peer, size).await) });
    }

    fn open(&mut self, id: u64, peer: PeerId, protocol: String) -> Result<(), Failure> {
        self.newest_connection(&peer)?; // a stream to anybody else would dial
        let protocol = StreamProtocol::try_from_owned(protocol).map_err(Failure::debug)?;
        let mut control = self.swarm.behaviour().stream.new_control();
        tokio::spawn(async move {
            let opened = control.open_stream(peer, protocol).await;
            answer(id, opened.map(|_| json!({})).map_err(Failure::debug));
        });
        Ok(())
    }

    fn list(&mut self, id: u64, peer: PeerId) {
        let open = self.connections.iter().filter(|(_, of, _)| *of == peer);
        let list: Vec<&Value> = open.map(|(_, _, about)| about).collect();
        answer(id, Ok(json!({ "list": list })));
    }
}

pub fn text(command: &Value, name: &str) -> Result<String, Failure> {
    let value = command[name].as_str().map(str::to_owned);
    value.ok_or_else(|| Failure::new(format!("the command has no {name}")))
}

pub fn peer(command: &Value) -> Result<PeerId, Failure> {
    text(command, "peer")?.parse().map_err(Failure::debug)
}

fn address(command: &Value) -> Result<Multiaddr, Failure> {
    text(command, "addr")?.parse().map_err(Failure::debug)
}
