//! Pickles made to do harm: each is refused, quickly and in little memory.

use super::{open_bytes, read_all, refusal, values, vector};
use ::zip::write::SimpleFileOptions;
use ::zip::{CompressionMethod, ZipWriter};
use proptest::prelude::*;
use std::fs;
use std::io::{Cursor, Write};

/// A zip checkpoint around a pickle.
fn zipped(pickle: &[u8], method: CompressionMethod) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(method);
    for (name, bytes) in [("archive/data.pkl", pickle), ("archive/data/0", &[0; 48])] {
        writer.start_file(name, options).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn checkpoint(pickle: &[u8]) -> Vec<u8> {
    zipped(&[b"\x80\x02", pickle].concat(), CompressionMethod::Stored)
}

/// A legacy checkpoint around a pickle, with one storage of 12 floats.
fn legacy(pickle: &[u8]) -> Vec<u8> {
    let start = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.\x80\x02}X\x0d\0\0\0little_endian\x88s.\x80\x02";
    let end = b"\x80\x02]X\x01\0\0\x000a.\x0c\0\0\0\0\0\0\0";
    [&start[..], pickle, end, &[0; 48]].concat()
}

/// `{"t": tensor}` on a storage of `elements` floats.
fn tensor(elements: &str, offset: &str, shape: &str, strides: &str) -> Vec<u8> {
    let start = b"}X\x01\0\0\0tctorch._utils\n_rebuild_tensor_v2\n((X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\x000X\x03\0\0\0cpu";
    let mut pickle = start.to_vec();
    for part in [elements, "tQ", offset, shape, strides, "\\x89}tRs."] {
        pickle.extend(unescape(part));
    }
    pickle
}

/// Turns `\xNN` into bytes.
fn unescape(text: &str) -> Vec<u8> {
    let mut parts = text.split("\\x");
    let mut bytes = parts.next().unwrap().as_bytes().to_vec();
    for part in parts {
        bytes.push(u8::from_str_radix(&part[..2], 16).unwrap());
        bytes.extend(&part.as_bytes()[2..]);
    }
    bytes
}

const TWELVE: &str = "K\\x0c";
const ZERO: &str = "K\\x00";

#[test]
fn names_outside_the_list_are_refused_by_name() {
    for name in
        ["os\nsystem", "builtins\neval", "torch\nload", "torch\nFooStorage", "numpy.core.multiarray\nscalar"]
    {
        for form in [checkpoint, legacy] {
            let error = refusal(&form(format!("c{name}\n(X\x04\0\0\0echotR.").as_bytes()));
            assert!(error.to_string().contains(&name.replace('\n', ".")), "{error}");
        }
    }
}

#[test]
fn opcodes_outside_the_list_are_refused() {
    for opcode in [b'i', b'o', b'P', b'I', b'V', b'2', 0x82, 0x92, 0x93, 0x95, 0x98, 0xff] {
        let error = refusal(&checkpoint(&[b'}', opcode, b'.']));
        assert!(error.to_string().contains(&format!("0x{opcode:02x}")), "{error}");
    }
}

#[test]
fn operands_of_the_wrong_kind_are_refused() {
    let broken: &[&[u8]] = &[
        b".",
        b"0.",
        b"q\0.",
        b"h\x07.",
        b"t.",
        b"(.",
        b"N(0.",
        b"Q.",
        b")Q.",
        b"NNR.",
        b"ccollections\nOrderedDict\nNR.",
        b"ccollections\nOrderedDict\nK\x01\x85R.",
        b"ctorch\nFloatStorage\n)R.",
        b"ctorch._utils\n_rebuild_tensor_v2\n)R.",
        b"}N.b",
        b"}Nb.",
        b"N}b.",
        b"NNNs.",
        b"NNa.",
        b"}(Nu.",
        b"NN\x81.",
        b"\x80\x05.",
        b"\x86.",
        b"X\x02\0\0\0\xff\xfe.",
    ];
    for pickle in broken {
        for form in [checkpoint, legacy] {
            refusal(&form(pickle));
        }
    }
}

#[test]
fn counts_are_not_believed() {
    for pickle in [
        &b"X\xff\xff\xff\xffabc"[..],
        b"T\xff\xff\xff\x7f",
        b"U\xffab",
        b"\x8a\xff",
        b"r\xff\xff\xff\xff.",
        b"c",
    ] {
        refusal(&checkpoint(pickle));
    }
    refusal(&checkpoint(&[b"c", &b"a".repeat(1 << 20)[..]].concat()));
}

#[test]
fn long_pickles_are_refused() {
    for flood in [&b"N"[..], b"(", b")", b"}", b"K\x01\x85"] {
        let error = refusal(&checkpoint(&flood.repeat(1 << 21)));
        assert!(error.to_string().contains("opcodes"), "{error}");
    }
}

#[test]
fn dictionaries_that_hold_themselves_are_refused() {
    let loops: &[u8] = b"}q\0X\x01\0\0\0ah\0s.";
    assert!(refusal(&checkpoint(loops)).to_string().contains("nested"));
    // Each holds the one before twice: 2^40 paths.
    let mut laughs = b"}q\0".to_vec();
    for level in 1..=40 {
        let before = level - 1;
        laughs.extend([
            b'}', b'q', level, b'(', b'X', 1, 0, 0, 0, b'a', b'h', before, b'X', 1, 0, 0, 0, b'b', b'h',
            before, b'u',
        ]);
    }
    laughs.push(b'.');
    assert!(refusal(&checkpoint(&laughs)).to_string().contains("nested"));
    let deep = [b"}(".repeat(100_000), b".".to_vec()].concat();
    refusal(&checkpoint(&deep));
}

#[test]
fn the_crafted_tensor_is_read_when_nothing_is_wrong_with_it() {
    for form in [checkpoint, legacy] {
        let mut opened =
            open_bytes(&form(&tensor(TWELVE, ZERO, "(K\\x03K\\x04t", "(K\\x04K\\x01t"))).unwrap();
        assert_eq!(values(&mut opened, "t").unwrap(), [0.0; 12]);
    }
}

#[test]
fn tensors_outside_their_storage_are_refused() {
    let huge = "\\x8a\\x09\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\x00";
    let negative = "J\\xff\\xff\\xff\\xff";
    let one = "K\\x01\\x85";
    let cases = [
        (TWELVE, "K\\x01", "(K\\x03K\\x04t", "(K\\x04K\\x01t"),
        (TWELVE, ZERO, "(K\\x03K\\x04t", "(K\\x05K\\x01t"),
        (TWELVE, huge, "K\\x02\\x85", one),
        (TWELVE, ZERO, "K\\x02\\x85", &format!("{huge}\\x85")),
        (TWELVE, ZERO, &format!("{huge}\\x85"), "K\\x00\\x85"),
        (TWELVE, ZERO, &format!("{huge}{huge}\\x86"), &format!("{huge}{huge}\\x86")),
        (TWELVE, ZERO, "J\\x00\\x00\\x00\\x7f\\x85", "K\\x00\\x85"),
        (TWELVE, negative, one, one),
        (TWELVE, ZERO, &format!("{negative}\\x85"), one),
        (TWELVE, ZERO, one, &format!("{negative}\\x85")),
        (TWELVE, ZERO, one, "K\\x01K\\x01\\x86"),
        (TWELVE, "N", one, one),
        (huge, ZERO, one, one),
        (negative, ZERO, one, one),
        ("K\\x0d", ZERO, "K\\x0d\\x85", one),
    ];
    for (elements, offset, shape, strides) in cases {
        for form in [checkpoint, legacy] {
            assert!(
                read_all(&form(&tensor(elements, offset, shape, strides))).is_err(),
                "{elements} {offset} {shape} {strides}"
            );
        }
    }
}

#[test]
fn compressed_storages_are_refused() {
    let whole = tensor(TWELVE, ZERO, "K\\x0c\\x85", "K\\x01\\x85");
    let error = refusal(&zipped(&[b"\x80\x02", &whole[..]].concat(), CompressionMethod::Deflated));
    assert!(error.to_string().contains("compress"), "{error}");
}

#[test]
fn values_that_are_no_numbers_are_refused() {
    let whole = legacy(&tensor(TWELVE, ZERO, "K\\x0c\\x85", "K\\x01\\x85"));
    let (start, _) = whole.split_at(whole.len() - 4);
    let error = read_all(&[start, &f32::NAN.to_le_bytes()].concat()).unwrap_err();
    assert!(error.to_string().contains("no numbers"), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn flipped_bytes_never_panic(
        is_zip in any::<bool>(), flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6)
    ) {
        let mut bytes = fs::read(vector(if is_zip { "odd.pth" } else { "odd_legacy.pth" })).unwrap();
        for (index, value) in flips {
            let index = index.index(bytes.len());
            bytes[index] = value;
        }
        let _ = read_all(&bytes);
    }

    #[test]
    fn opcodes_in_any_order_never_panic(opcodes in prop::collection::vec(prop::sample::select(
        &b"(.0}])tKMJGXUqrhjsuaeRbQN\x81\x85\x86\x87\x88\x89\x8a\x01\x00c"[..]), 0..200)
    ) {
        let _ = read_all(&checkpoint(&opcodes));
        let _ = read_all(&legacy(&opcodes));
    }
}
