//! Hop and stop spoken by hand, as ../go/raw.go does: a circuit's bare bytes, half-closes and resets can be seen.

use crate::driver::Driver;
use crate::jsonline::{answer, event, Failure, Outcome};
use crate::raw_message::{read_message, status_name, with_length, Hop, Stop, OK, PERMISSION_DENIED};
use crate::verbs::{peer, text};
use futures::io::{AsyncReadExt, AsyncWriteExt};
use futures::StreamExt;
use libp2p::{PeerId, Stream, StreamProtocol};
use libp2p_stream::Control;
use serde_json::{json, Value};
use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;

const HOP: StreamProtocol = StreamProtocol::new("/libp2p/circuit/relay/0.2.0/hop");
const STOP: StreamProtocol = StreamProtocol::new("/libp2p/circuit/relay/0.2.0/stop");
const PATIENCE: Duration = Duration::from_secs(25);

/// An end of a circuit; `stream` is gone once it was reset, `closed` is our own direction.
struct Circuit {
    stream: Option<Stream>,
    closed: bool,
}

/// The circuits by number, and how a STOP is answered: ok, mute or refuse, with bytes in one write behind OK.
#[derive(Clone, Default)]
pub struct Raw {
    circuits: Arc<Mutex<Vec<Arc<tokio::sync::Mutex<Circuit>>>>>,
    serve: Arc<Mutex<(String, String)>>,
}

impl Raw {
    pub fn accept_all(&self, control: &mut Control) {
        *self.serve.lock().expect("serve") = ("ok".into(), String::new());
        let mut incoming = control.accept(STOP).expect("accepted once");
        let raw = self.clone();
        tokio::spawn(async move {
            while let Some((_, stream)) = incoming.next().await {
                if let Err(failure) = raw.serve_stop(stream).await {
                    event("raw-stop-failed", json!({ "text": failure.text }));
                }
            }
        });
    }

    async fn serve_stop(&self, mut stream: Stream) -> Result<(), Failure> {
        let stop = Stop::parse(&read_message(&mut stream).await?);
        let (how, first) = self.serve.lock().expect("serve").clone();
        match how.as_str() {
            "ok" => write(&mut stream, &with_length(&Stop::status(OK)), &first).await?,
            "refuse" => {
                write(&mut stream, &with_length(&Stop::status(PERMISSION_DENIED)), "").await?;
                stream.close().await.map_err(Failure::debug)?;
            }
            _ => {} // mute
        }
        let from = PeerId::from_bytes(&stop.peer).map_err(Failure::debug)?.to_string();
        let circuit = self.keep(stream);
        event("raw-stop", json!({ "from": from, "addrs": stop.addrs, "limited": stop.limited, "circuit": circuit }));
        Ok(())
    }

    fn keep(&self, stream: Stream) -> usize {
        let mut circuits = self.circuits.lock().expect("circuits");
        circuits.push(Arc::new(tokio::sync::Mutex::new(Circuit { stream: Some(stream), closed: false })));
        circuits.len() - 1
    }

    fn circuit(&self, command: &Value) -> Result<Arc<tokio::sync::Mutex<Circuit>>, Failure> {
        let number = command["circuit"].as_u64().unwrap_or(u64::MAX) as usize;
        let found = self.circuits.lock().expect("circuits").get(number).cloned();
        found.ok_or_else(|| Failure::new(format!("no circuit {number}")))
    }

    /// Sends CONNECT, with data behind it in the same write, and reads the answer.
    async fn connect(self, mut control: Control, relay: PeerId, target: PeerId, data: String) -> Outcome {
        let mut stream = control.open_stream(relay, HOP).await.map_err(Failure::debug)?;
        write(&mut stream, &with_length(&Hop::connect(&target.to_bytes())), &data).await?;
        let told = granted(&mut stream).await?;
        Ok(json!({ "circuit": self.keep(stream), "limited": told.limited }))
    }
}

async fn reserve(mut control: Control, relay: PeerId) -> Outcome {
    let mut stream = control.open_stream(relay, HOP).await.map_err(Failure::debug)?;
    write(&mut stream, &with_length(&Hop::reserve()), "").await?;
    granted(&mut stream).await?;
    Ok(json!({}))
}

async fn granted(stream: &mut Stream) -> Result<Hop, Failure> {
    let told = Hop::parse(&read_message(stream).await?);
    match told.status {
        OK => Ok(told),
        other => Err(Failure { code: status_name(other), text: format!("refused with {}", status_name(other)) }),
    }
}

async fn write(stream: &mut Stream, message: &[u8], behind: &str) -> Result<(), Failure> {
    stream.write_all(&[message, behind.as_bytes()].concat()).await.map_err(Failure::debug)?;
    stream.flush().await.map_err(Failure::debug)
}

impl Circuit {
    fn open(&mut self) -> Result<&mut Stream, Failure> {
        self.stream.as_mut().ok_or_else(|| Failure::new("the circuit was reset"))
    }

    async fn close_write(&mut self) -> Outcome {
        self.open()?.close().await.map_err(Failure::debug)?;
        self.closed = true;
        Ok(json!({}))
    }

    /// Reads so many bytes, or everything if that is 0, and says how the reading ended.
    async fn read(&mut self, wanted: usize) -> Outcome {
        let (mut got, mut part) = (Vec::new(), [0; 4096]);
        while wanted == 0 || got.len() < wanted {
            let most = if wanted == 0 { part.len() } else { part.len().min(wanted - got.len()) };
            match self.open()?.read(&mut part[..most]).await {
                Ok(0) => return Ok(json!({ "data": String::from_utf8_lossy(&got), "end": self.ending().await })),
                Ok(count) => got.extend_from_slice(&part[..count]),
                Err(_) => return Ok(json!({ "data": String::from_utf8_lossy(&got), "end": "reset" })),
            }
        }
        Ok(json!({ "data": String::from_utf8_lossy(&got), "end": "" }))
    }

    /// rust-libp2p reads a reset as an end; only a write tells them apart, and one that is closed cannot write.
    async fn ending(&mut self) -> &'static str {
        let Some(stream) = self.stream.as_mut() else { return "reset" };
        if self.closed || stream.write(&[]).await.is_ok() {
            "eof"
        } else {
            "reset"
        }
    }
}

/// Starts a verb of this part; false when it is none, or when the program was not started with --raw.
pub fn start(driver: &mut Driver, id: u64, verb: &str, command: &Value) -> Result<bool, Failure> {
    let Some(raw) = driver.raw.clone() else { return Ok(false) };
    let control = driver.swarm.behaviour().stream.new_control();
    match verb {
        "reserve" => spawn(id, reserve(control, relay_of(command)?)),
        "raw-serve" => {
            let first = command["data"].as_str().unwrap_or("").to_owned();
            *raw.serve.lock().expect("serve") = (text(command, "answer")?, first);
            answer(id, Ok(json!({})));
        }
        "raw-connect" => {
            let target = text(command, "target")?.parse().map_err(Failure::debug)?;
            let data = command["data"].as_str().unwrap_or("").to_owned();
            spawn(id, raw.connect(control, peer(command)?, target, data));
        }
        "raw-write" => {
            let (circuit, data) = (raw.circuit(command)?, text(command, "data")?);
            spawn(id, async move {
                write(circuit.lock().await.open()?, &[], &data).await?;
                Ok(json!({}))
            });
        }
        "raw-read" => {
            let (circuit, wanted) = (raw.circuit(command)?, command["bytes"].as_u64().unwrap_or(0) as usize);
            spawn(id, async move { circuit.lock().await.read(wanted).await });
        }
        "raw-close-write" => {
            let circuit = raw.circuit(command)?;
            spawn(id, async move { circuit.lock().await.close_write().await });
        }
        "raw-reset" => {
            let circuit = raw.circuit(command)?;
            spawn(id, async move {
                circuit.lock().await.stream = None; // a stream that is dropped before its end is reset
                Ok(json!({}))
            });
        }
        _ => return Ok(false),
    }
    Ok(true)
}

fn relay_of(command: &Value) -> Result<PeerId, Failure> {
    let addr = text(command, "addr")?;
    addr.rsplit('/').next().unwrap_or("").parse().map_err(Failure::debug)
}

fn spawn(id: u64, work: impl Future<Output = Outcome> + Send + 'static) {
    tokio::spawn(async move {
        let done = tokio::time::timeout(PATIENCE, work).await;
        answer(id, done.unwrap_or_else(|_| Err(Failure::new(format!("nothing came within {PATIENCE:?} (TimedOut)")))));
    });
}
