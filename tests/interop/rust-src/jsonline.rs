//! The command channel: one JSON object a line on stdin, answers and events on stdout.

use serde_json::{json, Value};
use std::io::{BufRead, Write};
use tokio::sync::mpsc;

/// What went wrong, under the names that all client programs share.
#[derive(Debug)]
pub struct Failure {
    pub code: &'static str,
    pub text: String,
}

impl Failure {
    pub fn new(text: impl Into<String>) -> Self {
        let text = text.into();
        Failure { code: code_of(&text), text }
    }

    pub fn debug(error: impl std::fmt::Debug) -> Self {
        Failure::new(format!("{error:?}"))
    }
}

pub type Outcome = Result<Value, Failure>;

fn code_of(text: &str) -> &'static str {
    const CODES: [(&str, &str); 14] = [
        ("NoReservation", "NO_RESERVATION"),
        ("ConnectionFailed", "CONNECTION_FAILED"),
        ("ResourceLimitExceeded", "RESOURCE_LIMIT_EXCEEDED"),
        ("Refused", "RESERVATION_REFUSED"),
        ("UnsupportedProtocol", "UNSUPPORTED"),
        ("InvalidNamespace", "E_INVALID_NAMESPACE"),
        ("InvalidSignedPeerRecord", "E_INVALID_SIGNED_PEER_RECORD"),
        ("InvalidTtl", "E_INVALID_TTL"),
        ("InvalidCookie", "E_INVALID_COOKIE"),
        ("NotAuthorized", "E_NOT_AUTHORIZED"),
        ("Unavailable", "E_UNAVAILABLE"),
        ("PermissionDenied", "PERMISSION_DENIED"),
        ("PERMISSION_DENIED", "PERMISSION_DENIED"),
        ("TimedOut", "TIMEOUT"),
    ];
    CODES.iter().find(|(word, _)| text.contains(word)).map_or("OTHER", |(_, code)| code)
}

pub fn say(object: Value) {
    let mut out = std::io::stdout().lock();
    if writeln!(out, "{object}").and_then(|()| out.flush()).is_err() {
        std::process::exit(1); // the runner is gone
    }
}

pub fn event(name: &str, mut fields: Value) {
    fields["event"] = json!(name);
    say(fields);
}

pub fn answer(id: u64, outcome: Outcome) {
    match outcome {
        Ok(value) => say(json!({ "id": id, "ok": value })),
        Err(Failure { code, text }) => say(json!({ "id": id, "error": { "code": code, "text": text } })),
    }
}

/// The commands as they come in; the channel closes when stdin does.
pub fn commands() -> mpsc::UnboundedReceiver<Value> {
    let (sender, receiver) = mpsc::unbounded_channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            let command = serde_json::from_str(&line).expect("a command is a JSON object");
            if sender.send(command).is_err() {
                return;
            }
        }
    });
    receiver
}
