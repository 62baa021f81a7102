//! Interop client on rust-libp2p, built once for each version (../rust-0.54, ../rust-new).
//! Verbs and events: ../README.md.
//!
//! `--seed N` gives a fixed identity, `--listen` listens on TCP as the dusk client does,
//! `--punch` tries a direct connection beside each circuit, `--dusk` leaves the dusk client to itself (alone.rs), `--raw`
//! leaves the relay client out: the raw-* verbs speak hop and stop themselves.

#[cfg(feature = "dusk")]
mod alone;
mod behaviour;
mod crowd;
mod driver;
#[cfg(feature = "dusk")]
mod dusk;
mod jsonline;
mod raw;
mod raw_message;
mod relay;
mod rendezvous;
mod transfer;
mod verbs;
mod waiter;

use libp2p::identity::Keypair;
use serde_json::json;
#[cfg(feature = "dusk")]
use std::time::Duration;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let flag = |name: &str| arguments.iter().any(|a| a == name);
    let number = |name: &str| number_of(&arguments, name);
    let key = identity(number("--seed"));
    let mut driver = driver::Driver::new(behaviour::swarm(key, flag("--punch"), flag("--raw")), flag("--raw"));
    if flag("--listen") {
        driver.listen("/ip4/0.0.0.0/tcp/0");
    }
    jsonline::event("ready", json!({ "peer": driver.own_id() }));
    #[cfg(feature = "dusk")]
    if flag("--dusk") {
        let relay = std::env::var("DUSK_RELAY_ADDR").expect("DUSK_RELAY_ADDR is set");
        let rhythm = alone::Rhythm {
            refresh: Duration::from_secs(number("--refresh").unwrap_or(120)),
            chat: Duration::from_millis(number("--chat").unwrap_or(1000)),
        };
        driver.alone = Some(alone::Alone::start(&mut driver.swarm, relay.parse().expect("a multiaddr"), rhythm));
    }
    driver.run(jsonline::commands()).await;
}

fn number_of(arguments: &[String], name: &str) -> Option<u64> {
    let at = arguments.iter().position(|a| a == name)?;
    let text = arguments.get(at + 1).unwrap_or_else(|| panic!("{name} takes a number"));
    Some(text.parse().unwrap_or_else(|_| panic!("{name} takes a number")))
}

fn identity(seed: Option<u64>) -> Keypair {
    match seed {
        Some(number) => {
            let seed = u8::try_from(number).expect("--seed takes a number below 256");
            Keypair::ed25519_from_bytes([seed; 32]).expect("32 bytes are a seed")
        }
        None => Keypair::generate_ed25519(),
    }
}
