//! Reads what follows an opcode.

use super::{bad, read_failed};
use std::io::{Read, Take};
use std::rc::Rc;
use viseme_core::Result;

/// The bytes of a pickle, up to a limit.
pub(super) struct Operands<R>(pub(super) Take<R>);

impl<R: Read> Operands<R> {
    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut bytes = [0; N];
        self.0.read_exact(&mut bytes).map_err(read_failed)?;
        Ok(bytes)
    }

    pub(super) fn byte(&mut self) -> Result<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    pub(super) fn word(&mut self) -> Result<u32> {
        self.array().map(u32::from_le_bytes)
    }

    /// A signed integer of up to 16 bytes, little end first.
    pub(super) fn long(&mut self) -> Result<i128> {
        let length = usize::from(self.byte()?);
        let mut bytes = [0; 16];
        let Some(used) = bytes.get_mut(..length) else {
            return Err(bad(format!("its pickle has an integer of {length} bytes")));
        };
        self.0.read_exact(used).map_err(read_failed)?;
        let is_negative = used.last().is_some_and(|last| last & 0x80 != 0);
        if is_negative {
            bytes[length..].fill(0xff);
        }
        Ok(i128::from_le_bytes(bytes))
    }

    pub(super) fn text(&mut self, length: u32) -> Result<Rc<str>> {
        let mut bytes = Vec::new();
        let read = self.0.by_ref().take(length.into()).read_to_end(&mut bytes).map_err(read_failed)?;
        if read < length as usize {
            return Err(bad("it is cut off"));
        }
        String::from_utf8(bytes).map(Into::into).map_err(|_| bad("its pickle has a text that is not UTF-8"))
    }

    /// One line of a `GLOBAL`, without its end.
    pub(super) fn line(&mut self) -> Result<String> {
        const MAX_NAME: usize = 512;
        let mut bytes = Vec::new();
        loop {
            match self.byte()? {
                b'\n' => break,
                _ if bytes.len() == MAX_NAME => return Err(bad("its pickle has a name without an end")),
                byte => bytes.push(byte),
            }
        }
        String::from_utf8(bytes).map_err(|_| bad("its pickle has a name that is not UTF-8"))
    }
}
