//! Just enough protobuf for the messages of hop and stop.

use crate::jsonline::Failure;
use futures::io::{AsyncRead, AsyncReadExt};

pub const OK: u64 = 100;
pub const PERMISSION_DENIED: u64 = 202;
const LONGEST: usize = 4096;
const NAMES: [(u64, &str); 5] = [
    (200, "RESERVATION_REFUSED"),
    (201, "RESOURCE_LIMIT_EXCEEDED"),
    (PERMISSION_DENIED, "PERMISSION_DENIED"),
    (203, "CONNECTION_FAILED"),
    (204, "NO_RESERVATION"),
];

pub fn status_name(status: u64) -> &'static str {
    NAMES.iter().find(|(number, _)| *number == status).map_or("OTHER", |(_, name)| name)
}

/// What the relay answers on a hop stream.
pub struct Hop {
    pub status: u64,
    pub limited: bool,
}

impl Hop {
    pub fn reserve() -> Vec<u8> {
        vec![8, 0]
    }

    pub fn connect(target: &[u8]) -> Vec<u8> {
        let mut out = vec![8, 1];
        put_bytes(&mut out, 2, &[&[10, target.len() as u8], target].concat());
        out
    }

    pub fn parse(message: &[u8]) -> Hop {
        let mut told = Hop { status: 0, limited: false };
        each_field(message, |field, number, _| match field {
            4 => told.limited = true,
            5 => told.status = number,
            _ => {}
        });
        told
    }
}

/// What the relay asks on a stop stream.
#[derive(Default)]
pub struct Stop {
    pub peer: Vec<u8>,
    pub addrs: usize,
    pub limited: bool,
}

impl Stop {
    pub fn status(status: u64) -> Vec<u8> {
        let mut out = vec![8, 1, 32];
        put_varint(&mut out, status);
        out
    }

    pub fn parse(message: &[u8]) -> Stop {
        let mut told = Stop::default();
        each_field(message, |field, _, body| match field {
            2 => each_field(body, |inner, _, value| match inner {
                1 => told.peer = value.to_vec(),
                _ => told.addrs += 1,
            }),
            3 => told.limited = true,
            _ => {}
        });
        told
    }
}

pub fn with_length(message: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    put_varint(&mut out, message.len() as u64);
    out.extend_from_slice(message);
    out
}

/// Reads no byte beyond the message: what follows belongs to the circuit.
pub async fn read_message(from: &mut (impl AsyncRead + Unpin)) -> Result<Vec<u8>, Failure> {
    let (mut length, mut shift, mut byte) = (0, 0, [0x80]);
    while byte[0] & 0x80 != 0 && shift < 21 {
        from.read_exact(&mut byte).await.map_err(Failure::debug)?;
        length |= usize::from(byte[0] & 0x7f) << shift;
        shift += 7;
    }
    if length > LONGEST {
        return Err(Failure::new(format!("a message of {length} bytes")));
    }
    let mut message = vec![0; length];
    from.read_exact(&mut message).await.map_err(Failure::debug)?;
    Ok(message)
}

fn put_varint(out: &mut Vec<u8>, mut number: u64) {
    while number > 0x7f {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn put_bytes(out: &mut Vec<u8>, field: u8, bytes: &[u8]) {
    out.push(field << 3 | 2);
    put_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Shows each field with its number or its bytes, as far as the message can be read.
fn each_field(mut message: &[u8], mut show: impl FnMut(u64, u64, &[u8])) {
    while let (Some(tag), Some(number)) = (take_varint(&mut message), take_varint(&mut message)) {
        if tag & 7 != 2 {
            show(tag >> 3, number, &[]);
        } else if number as usize <= message.len() {
            let (body, rest) = message.split_at(number as usize);
            show(tag >> 3, 0, body);
            message = rest;
        }
    }
}

fn take_varint(from: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..63).step_by(7) {
        let (first, rest) = from.split_first()?;
        *from = rest;
        number |= u64::from(first & 0x7f) << shift;
        if first & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}
