//! A command that waits: a question put to each event until one answers it or its time is over.

use crate::behaviour::BehaviourEvent;
use crate::jsonline::{answer, Failure, Outcome};
use libp2p::swarm::SwarmEvent;
use std::time::{Duration, Instant};

pub type Event = SwarmEvent<BehaviourEvent>;
const PATIENCE: Duration = Duration::from_secs(30);

struct Waiter {
    id: u64,
    verb: &'static str,
    until: Instant,
    question: Box<dyn FnMut(&Event) -> Option<Outcome>>,
}

#[derive(Default)]
pub struct Waiters(Vec<Waiter>);

impl Waiters {
    pub fn add(&mut self, id: u64, verb: &'static str, question: impl FnMut(&Event) -> Option<Outcome> + 'static) {
        self.0.push(Waiter { id, verb, until: Instant::now() + PATIENCE, question: Box::new(question) });
    }

    pub fn show(&mut self, event: &Event) {
        self.0.retain_mut(|waiter| match (waiter.question)(event) {
            Some(outcome) => {
                answer(waiter.id, outcome);
                false
            }
            None => true,
        });
    }

    pub fn expire(&mut self) {
        let now = Instant::now();
        self.0.retain(|waiter| {
            let late = waiter.until < now;
            if late {
                let text = format!("{}: nothing came within {PATIENCE:?} (TimedOut)", waiter.verb);
                answer(waiter.id, Err(Failure::new(text)));
            }
            !late
        });
    }
}
