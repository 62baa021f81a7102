//! Interop client on rust-libp2p, built once for each version (../rust-0.54, ../rust-new).
//! Verbs and events: ../README.md.
//!
//! `--seed N` gives a fixed identity, `--listen` listens on TCP as the dusk client does,
//! `--punch` tries a direct connection beside each circuit.

mod behaviour;
mod driver;
#[cfg(feature = "dusk")]
mod dusk;
mod jsonline;
mod relay;
mod rendezvous;
mod transfer;
mod verbs;
mod waiter;

use libp2p::identity::Keypair;
use serde_json::json;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let flag = |name: &str| arguments.iter().any(|a| a == name);
    let key = identity(&arguments);
    let mut driver = driver::Driver::new(behaviour::swarm(key, flag("--punch")));
    if flag("--listen") {
        driver.listen("/ip4/0.0.0.0/tcp/0");
    }
    jsonline::event("ready", json!({ "peer": driver.own_id() }));
    driver.run(jsonline::commands()).await;
}

fn identity(arguments: &[String]) -> Keypair {
    let position = arguments.iter().position(|a| a == "--seed");
    match position.and_then(|at| arguments.get(at + 1)) {
        Some(text) => {
            let seed: u8 = text.parse().expect("--seed takes a number below 256");
            Keypair::ed25519_from_bytes([seed; 32]).expect("32 bytes are a seed")
        }
        None => Keypair::generate_ed25519(),
    }
}
