//! The dusk client left to itself (`--dusk`): it finds its relay in DUSK_RELAY_ADDR, reserves, registers, discovers and dials
//! by its own timers, comes back when the relay was gone, chats and hands out its document. No verb is needed; the events tell.
//!
//! `--refresh SECONDS` and `--chat MILLISECONDS` shorten its rhythm.

use crate::behaviour::{Behaviour, BehaviourEvent};
use crate::dusk::{self, DuskEvent};
use crate::jsonline::event;
use crate::transfer;
use crate::waiter::Event;
use libp2p::multiaddr::Protocol;
use libp2p::rendezvous::{client::Event as RendezvousEvent, Namespace};
use libp2p::swarm::dial_opts::{DialOpts, PeerCondition};
use libp2p::swarm::SwarmEvent;
use libp2p::{gossipsub, relay, Multiaddr, PeerId, Swarm};
use serde_json::{json, Value};
use sha2::{Digest, Sha256};
use std::time::{Duration, Instant};

const COMMUNITY: &str = "dusk/community/com_0123456789abcdef";
const EVERYBODY: &str = "dusk/peers";
const OWN_COMMUNITIES: usize = 20;
const FIRST_RETRY: Duration = Duration::from_secs(2); // then twice as long each time, up to LAST_RETRY
const LAST_RETRY: Duration = Duration::from_secs(120);
const SYNC_AGAIN: Duration = Duration::from_secs(3); // the first request is often too early for gossipsub
const DOCUMENT: usize = 16 * 1024; // as a JSON array of numbers this is close to the 64 KiB that gossipsub takes

pub struct Rhythm {
    pub refresh: Duration,
    pub chat: Duration,
}

pub struct Alone {
    relay: Multiaddr,
    relay_id: PeerId,
    own_id: PeerId,
    rhythm: Rhythm,
    namespaces: Vec<Namespace>,
    document: Vec<u8>,
    said: u64,
    delay: Duration,
    dial_at: Option<Instant>,
    refresh_at: Option<Instant>, // none without a reservation
    chat_at: Instant,
    sync_at: Vec<Instant>,
}

impl Alone {
    pub fn start(swarm: &mut Swarm<Behaviour>, relay: Multiaddr, rhythm: Rhythm) -> Self {
        let Some(Protocol::P2p(relay_id)) = relay.iter().last() else { panic!("{relay} does not end in a peer id") };
        let own_id = *swarm.local_peer_id();
        let dusk = &mut swarm.behaviour_mut().dusk;
        for topic in [COMMUNITY, dusk::SYNC] {
            dusk.gossip.subscribe(&gossipsub::IdentTopic::new(topic)).expect("a topic");
        }
        dusk.gossip.add_explicit_peer(&relay_id);
        dusk.kad.add_address(&relay_id, relay.clone());
        let document = document_of(&own_id);
        event("holding", json!({ "sha256": sum(&document) }));
        let now = Instant::now();
        Alone {
            relay,
            relay_id,
            own_id,
            namespaces: namespaces(&own_id),
            document,
            said: 0,
            delay: FIRST_RETRY,
            dial_at: Some(now),
            refresh_at: None,
            chat_at: now + rhythm.chat,
            sync_at: Vec::new(),
            rhythm,
        }
    }

    pub fn tick(&mut self, swarm: &mut Swarm<Behaviour>) {
        let now = Instant::now();
        if self.dial_at.is_some_and(|at| at <= now) {
            self.dial_relay(swarm, now);
        }
        if self.refresh_at.is_some_and(|at| at <= now) {
            self.refresh(swarm, now);
        }
        if self.chat_at <= now {
            self.chat_at = now + self.rhythm.chat;
            self.chat(swarm);
        }
        let due = self.sync_at.len();
        self.sync_at.retain(|at| *at > now);
        if self.sync_at.len() < due {
            self.publish(swarm, dusk::SYNC, json!({ "kind": "RequestSync" }));
        }
    }

    pub fn see(&mut self, swarm: &mut Swarm<Behaviour>, happened: &Event) {
        match happened {
            SwarmEvent::ConnectionEstablished { peer_id, .. } if *peer_id == self.relay_id => self.greet_relay(swarm),
            SwarmEvent::ConnectionEstablished { peer_id, .. } => self.greet_peer(swarm, peer_id),
            SwarmEvent::ConnectionClosed { peer_id, num_established: 0, .. } if *peer_id == self.relay_id => {
                self.refresh_at = None;
                self.delay = FIRST_RETRY;
                self.dial_at = Some(Instant::now() + self.delay);
            }
            SwarmEvent::OutgoingConnectionError { peer_id, error, .. } if *peer_id == Some(self.relay_id) => {
                event("relay-unreachable", json!({ "text": error.to_string() }));
            }
            SwarmEvent::Behaviour(BehaviourEvent::Relay(relay::client::Event::ReservationReqAccepted {
                renewal: false,
                ..
            })) => self.reserved(swarm),
            SwarmEvent::Behaviour(BehaviourEvent::Rendezvous(told)) => self.rendezvous(swarm, told),
            SwarmEvent::Behaviour(BehaviourEvent::Dusk(DuskEvent::Gossip(gossipsub::Event::Message {
                message,
                ..
            }))) if message.topic.as_str() == dusk::SYNC => self.sync(swarm, message),
            SwarmEvent::Behaviour(BehaviourEvent::Dusk(told)) => dusk::tell_refusal(told),
            _ => {}
        }
    }

    /// Dials, and again after a while if there is no reservation by then, connected or not.
    fn dial_relay(&mut self, swarm: &mut Swarm<Behaviour>, now: Instant) {
        event("dialling", json!({ "next_after": self.delay.as_secs() }));
        self.dial_at = Some(now + self.delay);
        self.delay = (self.delay * 2).min(LAST_RETRY);
        self.dial(swarm, self.relay_id, self.relay.clone());
    }

    fn greet_relay(&mut self, swarm: &mut Swarm<Behaviour>) {
        self.delay = FIRST_RETRY;
        let circuit = self.relay.clone().with(Protocol::P2pCircuit);
        if let Err(error) = swarm.listen_on(circuit) {
            event("not-reserving", json!({ "text": error.to_string() }));
        }
        let dusk = &mut swarm.behaviour_mut().dusk;
        let _ = dusk.kad.bootstrap(); // it is an error to know nobody, and the relay is no Kademlia node
        for behaviour in [&mut dusk.gif, &mut dusk.directory, &mut dusk.turn] {
            behaviour.send_request(&self.relay_id, json!({ "search": "interop" }));
        }
    }

    fn greet_peer(&mut self, swarm: &mut Swarm<Behaviour>, peer: &PeerId) {
        swarm.behaviour_mut().dusk.gossip.add_explicit_peer(peer);
        let now = Instant::now();
        self.sync_at.extend([now, now + SYNC_AGAIN]);
    }

    fn reserved(&mut self, swarm: &mut Swarm<Behaviour>) {
        self.dial_at = None;
        swarm.add_external_address(self.circuit_to(self.own_id));
        self.refresh(swarm, Instant::now());
    }

    /// Registers in all namespaces and discovers all of them, each request on a stream of its own.
    fn refresh(&mut self, swarm: &mut Swarm<Behaviour>, now: Instant) {
        self.refresh_at = Some(now + self.rhythm.refresh);
        let client = &mut swarm.behaviour_mut().rendezvous;
        for namespace in &self.namespaces {
            if let Err(error) = client.register(namespace.clone(), self.relay_id, None) {
                event("not-registered", json!({ "ns": namespace.to_string(), "text": error.to_string() }));
            }
        }
        for namespace in &self.namespaces {
            client.discover(Some(namespace.clone()), None, None, self.relay_id);
        }
    }

    /// Dials whomever it found, connected or not.
    fn rendezvous(&mut self, swarm: &mut Swarm<Behaviour>, told: &RendezvousEvent) {
        match told {
            RendezvousEvent::Discovered { registrations, .. } => {
                let found = registrations.iter().map(|r| r.record.peer_id()).filter(|peer| *peer != self.own_id);
                for peer in found {
                    self.dial(swarm, peer, self.circuit_to(peer));
                }
            }
            RendezvousEvent::Registered { namespace, ttl, .. } => {
                event("registered", json!({ "ns": namespace.to_string(), "ttl": ttl }));
            }
            other => event("rendezvous", json!({ "text": format!("{other:?}") })),
        }
    }

    fn dial(&self, swarm: &mut Swarm<Behaviour>, peer: PeerId, addr: Multiaddr) {
        let dial = DialOpts::peer_id(peer).addresses(vec![addr]).condition(PeerCondition::Always).build();
        let _ = swarm.dial(dial); // what comes of it is an event
    }

    fn circuit_to(&self, peer: PeerId) -> Multiaddr {
        self.relay.clone().with(Protocol::P2pCircuit).with(Protocol::P2p(peer))
    }

    fn chat(&mut self, swarm: &mut Swarm<Behaviour>) {
        let number = self.said + 1;
        if self.publish(swarm, COMMUNITY, json!(number)) {
            self.said = number;
            event("said", json!({ "number": number }));
        }
    }

    /// A request is answered with the document, for everybody to hear.
    fn sync(&mut self, swarm: &mut Swarm<Behaviour>, message: &gossipsub::Message) {
        let told: Value = serde_json::from_slice(&message.data).expect("JSON, as we wrote it");
        if told["kind"] == "RequestSync" {
            let offer = json!({ "kind": "DocumentOffer", "snapshot": self.document });
            self.publish(swarm, dusk::SYNC, offer);
            return;
        }
        let document: Vec<u8> = serde_json::from_value(told["snapshot"].clone()).expect("an array of bytes");
        let from = message.source.map(|peer| peer.to_string());
        event("document", json!({ "from": from, "sha256": sum(&document), "on_wire": message.data.len() }));
    }

    /// False when nobody is there who listens.
    fn publish(&self, swarm: &mut Swarm<Behaviour>, topic: &str, what: Value) -> bool {
        let data = what.to_string().into_bytes();
        swarm.behaviour_mut().dusk.gossip.publish(gossipsub::IdentTopic::new(topic), data).is_ok()
    }
}

/// The community that all share, the list of everybody, the own peer id, and communities that nobody else is in.
fn namespaces(own: &PeerId) -> Vec<Namespace> {
    let hash = sum(own.to_string().as_bytes());
    let own_communities = (0..OWN_COMMUNITIES).map(|n| format!("dusk/community/com_{:.14}{n:02}", hash));
    let names = [COMMUNITY.to_owned(), EVERYBODY.to_owned(), format!("dusk/peer/{own}")];
    let all = names.into_iter().chain(own_communities);
    all.map(|name| Namespace::new(name).expect("a namespace")).collect()
}

fn document_of(own: &PeerId) -> Vec<u8> {
    let seed = Sha256::digest(own.to_bytes());
    let mut state = u64::from_le_bytes(seed[..8].try_into().expect("8 bytes")) | 1;
    transfer::noise(&mut state)[..DOCUMENT].to_vec()
}

fn sum(bytes: &[u8]) -> String {
    format!("{:x}", Sha256::digest(bytes))
}
