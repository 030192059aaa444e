//! A pickle machine for the opcodes that PyTorch writes (protocol 2; opcodes as in CPython's `pickletools`).

use super::bad;
use super::globals::{self, Global};
use super::operands::Operands;
use super::value::{Object, Objects, Pickled, Value};
use std::collections::HashMap;
use std::io::Read;
use std::rc::Rc;
use viseme_core::Result;

/// The longest pickle: that of `wav2lip_gan.pth`, with the optimizer, takes less than 1 MiB.
pub(super) const MAX_BYTES: u64 = 16 << 20;

/// The most opcodes. Each takes a bounded amount of memory, so that this bounds the whole: about 150 MB at worst.
const MAX_OPCODES: usize = 1 << 20;

/// Runs one pickle, up to and including its `STOP`.
///
/// # Errors
/// `InvalidInput` for an opcode or a name outside the lists, operands of the wrong kind, too long a pickle.
pub(super) fn load(reader: &mut impl Read) -> Result<Pickled> {
    let mut machine = Machine {
        operands: Operands(reader.take(MAX_BYTES)),
        stack: Vec::new(),
        marks: Vec::new(),
        memo: HashMap::new(),
        objects: Objects::default(),
    };
    for _ in 0..MAX_OPCODES {
        let opcode = machine.operands.byte()?;
        if opcode == b'.' {
            return Ok(Pickled { root: machine.pop()?, objects: machine.objects });
        }
        machine.step(opcode)?;
    }
    Err(bad(format!("its pickle has more than {MAX_OPCODES} opcodes")))
}

struct Machine<R> {
    operands: Operands<R>,
    stack: Vec<Value>,
    /// Heights of the stack at each open `MARK`.
    marks: Vec<usize>,
    memo: HashMap<u32, Value>,
    objects: Objects,
}

impl<R: Read> Machine<R> {
    fn step(&mut self, opcode: u8) -> Result<()> {
        match opcode {
            0x80 => self.protocol()?,
            b'(' => self.marks.push(self.stack.len()),
            b'q' => {
                let id = self.operands.byte()?;
                self.remember(id.into())?;
            }
            b'r' => {
                let id = self.operands.word()?;
                self.remember(id)?;
            }
            b'0' => drop(self.pop()?),
            b's' | b'u' => self.set_items(opcode == b'u')?,
            b'a' | b'e' => self.append(opcode == b'e')?,
            b'b' => self.build()?,
            _ => {
                let value = self.value(opcode)?;
                self.stack.push(value);
            }
        }
        Ok(())
    }

    /// Opcodes that push what they make of the values on the stack.
    fn value(&mut self, opcode: u8) -> Result<Value> {
        Ok(match opcode {
            b'h' => {
                let id = self.operands.byte()?;
                self.recall(id.into())?
            }
            b'j' => {
                let id = self.operands.word()?;
                self.recall(id)?
            }
            b't' => {
                let elements = self.pop_mark()?;
                self.objects.add(Object::Tuple(elements))
            }
            0x85..=0x87 => {
                let elements = self.pop_many(usize::from(opcode - 0x84))?;
                self.objects.add(Object::Tuple(elements))
            }
            b'R' => self.reduce()?,
            0x81 => self.instance()?,
            b'Q' => {
                let id = self.pop()?;
                let storage = globals::storage(&self.objects, &id)?;
                self.objects.add(Object::Storage(Rc::new(storage)))
            }
            _ => self.constant(opcode)?,
        })
    }

    /// Opcodes that push what follows them, or something empty.
    fn constant(&mut self, opcode: u8) -> Result<Value> {
        Ok(match opcode {
            b'N' => Value::None,
            0x88 => Value::Bool(true),
            0x89 => Value::Bool(false),
            b'K' => Value::Int(self.operands.byte()?.into()),
            b'M' => Value::Int(u16::from_le_bytes(self.operands.array()?).into()),
            b'J' => Value::Int(i32::from_le_bytes(self.operands.array()?).into()),
            0x8a => Value::Int(self.operands.long()?),
            b'G' => {
                self.operands.array::<8>()?;
                Value::Float
            }
            b'X' | b'T' => {
                let length = self.operands.word()?;
                Value::Text(self.operands.text(length)?)
            }
            b'U' => {
                let length = self.operands.byte()?;
                Value::Text(self.operands.text(length.into())?)
            }
            b'c' => Value::Global(Global::named(&self.operands.line()?, &self.operands.line()?)?),
            b'}' => self.objects.add(Object::Dict(Vec::new())),
            b']' => self.objects.add(Object::List(Vec::new())),
            b')' => self.objects.add(Object::Tuple(Vec::new())),
            _ => {
                return Err(bad(format!(
                    "its pickle has an opcode that no checkpoint needs: 0x{opcode:02x}"
                )));
            }
        })
    }

    fn protocol(&mut self) -> Result<()> {
        match self.operands.byte()? {
            2 => Ok(()),
            other => Err(bad(format!("its pickle has protocol {other} instead of 2"))),
        }
    }

    fn remember(&mut self, id: u32) -> Result<()> {
        let value = self.top()?.clone();
        self.memo.insert(id, value);
        Ok(())
    }

    fn recall(&self, id: u32) -> Result<Value> {
        let value = self.memo.get(&id).cloned();
        value.ok_or_else(|| bad(format!("its pickle recalls {id}, which was never stored")))
    }

    fn set_items(&mut self, is_many: bool) -> Result<()> {
        let values = if is_many { self.pop_mark()? } else { self.pop_many(2)? };
        if values.len() % 2 == 1 {
            return Err(bad("its pickle sets a key without a value"));
        }
        let mut values = values.into_iter();
        let pairs = std::iter::from_fn(|| Some((values.next()?, values.next()?)));
        match self.objects.get_mut(self.stack.last().unwrap_or(&Value::None)) {
            Some(Object::Dict(entries)) => entries.extend(pairs),
            _ => return Err(bad("its pickle sets items of what is no dictionary")),
        }
        Ok(())
    }

    fn append(&mut self, is_many: bool) -> Result<()> {
        let values = if is_many { self.pop_mark()? } else { self.pop_many(1)? };
        match self.objects.get_mut(self.stack.last().unwrap_or(&Value::None)) {
            Some(Object::List(elements)) => elements.extend(values),
            _ => return Err(bad("its pickle appends to what is no list")),
        }
        Ok(())
    }

    fn reduce(&mut self) -> Result<Value> {
        let arguments = self.pop()?;
        let Value::Global(callee) = self.pop()? else {
            return Err(bad("its pickle calls what is no function"));
        };
        globals::call(&mut self.objects, callee, &arguments)
    }

    /// `NEWOBJ`: an empty instance of a TorchScript class.
    fn instance(&mut self) -> Result<Value> {
        self.pop()?;
        match self.pop()? {
            Value::Global(Global::TorchScriptClass) => Ok(self.objects.add(Object::Instance(Vec::new()))),
            _ => Err(bad("its pickle makes an instance of what is no class of its own")),
        }
    }

    /// `BUILD`: gives an instance its attributes; what Python hangs onto an `OrderedDict` is dropped.
    fn build(&mut self) -> Result<()> {
        let state = self.pop()?;
        let entries = match self.objects.get_mut(&state) {
            Some(Object::Dict(entries)) => std::mem::take(entries),
            _ => return Err(bad("its pickle gives an object a state that is no dictionary")),
        };
        match self.objects.get_mut(self.stack.last().unwrap_or(&Value::None)) {
            Some(Object::Instance(attributes)) => attributes.extend(entries),
            Some(Object::Dict(_)) => {}
            _ => return Err(bad("its pickle gives a state to what takes none")),
        }
        Ok(())
    }

    /// The height below which the values belong to an open `MARK`.
    fn floor(&self) -> usize {
        self.marks.last().copied().unwrap_or(0)
    }

    fn top(&self) -> Result<&Value> {
        let values = self.stack.get(self.floor()..).unwrap_or_default();
        values.last().ok_or_else(|| bad("its pickle takes from an empty stack"))
    }

    fn pop(&mut self) -> Result<Value> {
        self.top()?;
        self.stack.pop().ok_or_else(|| bad("its pickle takes from an empty stack"))
    }

    fn pop_many(&mut self, count: usize) -> Result<Vec<Value>> {
        match self.stack.len().checked_sub(count) {
            Some(start) if start >= self.floor() => Ok(self.stack.split_off(start)),
            _ => Err(bad("its pickle takes from an empty stack")),
        }
    }

    fn pop_mark(&mut self) -> Result<Vec<Value>> {
        let start = self.marks.pop().ok_or_else(|| bad("its pickle ends a list that never began"))?;
        Ok(self.stack.split_off(start))
    }
}
