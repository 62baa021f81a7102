//! The bulk protocol of all client programs. The opener writes how many bytes each side shall send
//! (8 bytes, big-endian); then both send and receive at once, and the opener closes when it has all.

use crate::jsonline::{event, Failure, Outcome};
use futures::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use futures::StreamExt;
use libp2p::{PeerId, Stream, StreamProtocol};
use libp2p_stream::Control;
use serde_json::json;
use sha2::{Digest, Sha256};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

pub const PROTOCOL: StreamProtocol = StreamProtocol::new("/interop/transfer/1.0.0");
const BLOCK: u64 = 64 * 1024;
static BYTES_PER_SECOND: AtomicU64 = AtomicU64::new(0); // how fast a transfer reads; 0 is as fast as it can

pub fn set_pace(bytes_per_second: u64) {
    BYTES_PER_SECOND.store(bytes_per_second, Ordering::Relaxed);
}

pub fn accept_all(control: &mut Control) {
    let mut incoming = control.accept(PROTOCOL).expect("accepted once");
    tokio::spawn(async move {
        while let Some((peer, stream)) = incoming.next().await {
            tokio::spawn(accept(peer, stream));
        }
    });
}

async fn accept(peer: PeerId, mut stream: Stream) {
    match accept_exchange(&mut stream).await {
        Ok(mut result) => {
            result["peer"] = json!(peer.to_string());
            event("transfer", result);
            let _ = stream.read(&mut [0; 1]).await; // until the opener has everything
            let _ = stream.close().await;
        }
        Err(failure) => event("transfer-failed", json!({ "peer": peer.to_string(), "text": failure.text })),
    }
}

async fn accept_exchange(stream: &mut Stream) -> Outcome {
    let mut header = [0; 8];
    stream.read_exact(&mut header).await.map_err(Failure::debug)?;
    exchange(stream, u64::from_be_bytes(header)).await
}

pub async fn open(control: &mut Control, peer: PeerId, size: u64) -> Outcome {
    let mut stream = control.open_stream(peer, PROTOCOL).await.map_err(Failure::debug)?;
    stream.write_all(&size.to_be_bytes()).await.map_err(Failure::debug)?;
    let result = exchange(&mut stream, size).await?;
    stream.close().await.map_err(Failure::debug)?;
    Ok(result)
}

async fn exchange(stream: &mut Stream, size: u64) -> Outcome {
    let (reader, writer) = stream.split();
    let (sent, received) = futures::future::try_join(send(writer, size), receive(reader, size)).await?;
    Ok(json!({ "bytes": size, "sent": sent, "received": received }))
}

async fn send(mut writer: impl AsyncWrite + Unpin, size: u64) -> Result<String, Failure> {
    let mut sum = Sha256::new();
    let mut state = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(1, |d| d.as_nanos() as u64) | 1;
    let mut left = size;
    while left > 0 {
        let block = &noise(&mut state)[..left.min(BLOCK) as usize];
        sum.update(block);
        writer
            .write_all(block)
            .await
            .map_err(|e| Failure::new(format!("sending, {left} of {size} bytes left: {e:?}")))?;
        left -= block.len() as u64;
    }
    writer.flush().await.map_err(Failure::debug)?;
    Ok(format!("{:x}", sum.finalize()))
}

pub fn noise(state: &mut u64) -> Vec<u8> {
    let mut block = Vec::with_capacity(BLOCK as usize);
    for _ in 0..BLOCK / 8 {
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        block.extend_from_slice(&state.to_le_bytes());
    }
    block
}

async fn receive(mut reader: impl AsyncRead + Unpin, size: u64) -> Result<String, Failure> {
    let mut sum = Sha256::new();
    let mut buffer = vec![0; BLOCK as usize];
    let mut left = size;
    while left > 0 {
        let wanted = left.min(BLOCK) as usize;
        let read = reader.read(&mut buffer[..wanted]).await;
        let count = read.map_err(|e| Failure::new(format!("receiving, {left} of {size} bytes left: {e:?}")))?;
        if count == 0 {
            return Err(Failure::new(format!("stream ended {left} of {size} bytes early")));
        }
        sum.update(&buffer[..count]);
        left -= count as u64;
        rest(count as u64).await;
    }
    Ok(format!("{:x}", sum.finalize()))
}

async fn rest(count: u64) {
    let rate = BYTES_PER_SECOND.load(Ordering::Relaxed);
    if rate > 0 {
        tokio::time::sleep(Duration::from_micros(count * 1_000_000 / rate)).await;
    }
}
