//! The list of a batch: JSON or CSV.
//!
//! JSON is an array of jobs, or `{"defaults": …, "jobs": […]}`. A job is what [`JobSpec`] is in JSON, but only `video`,
//! `output` and `audio` or `say` must be there. CSV has the fields' names in its first line, those of nested fields with dots:
//! `video,audio,output,engine.name`. Paths are relative to the folder of the list.

use crate::spec::{JobSpec, SPEC_VERSION};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use std::fs::File;
use std::io::Read;
use std::path::Path;
use viseme_core::{Error, ErrorKind, Result};

/// A longer list was not meant as one: 10 000 jobs of a kilobyte, and some room.
const MOST_BYTES: u64 = 16 << 20;
/// Each is a whole video.
const MOST_JOBS: usize = 10_000;
/// What every job has of its own.
const OWN: [&str; 3] = ["video", "audio", "output"];
/// What it may have as well: other files, and lines with files.
const MAY_OWN: [&str; 3] = ["mask_output", "say", "sound"];

/// Reads the jobs of the list at `path`. What neither a job nor the list's own defaults say is as in `defaults`, the
/// files and the lines excepted. The jobs are not yet [validated](JobSpec::validate).
///
/// # Errors
/// `NotFound`, `LimitExceeded` for a list of more than 16 MiB or 10 000 jobs, otherwise `InvalidInput` with the line.
pub fn read_list(path: &Path, defaults: &JobSpec) -> Result<Vec<JobSpec>> {
    let text = read_text(path)?;
    let text = text.trim_start_matches('\u{feff}');
    let list = List { path, text, base: base(defaults)? };
    let jobs = if text.trim_start().starts_with(['[', '{']) { list.json()? } else { list.csv()? };
    if jobs.is_empty() {
        return Err(Error::invalid_input(format!("there is no job in {}", path.display())));
    }
    Ok(jobs)
}

fn read_text(path: &Path) -> Result<String> {
    let failed = |source| Error::io(format_args!("read {}", path.display()), source);
    let mut bytes = Vec::new();
    File::open(path).map_err(failed)?.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(too_much(format!("{} is longer than {} MiB", path.display(), MOST_BYTES >> 20)));
    }
    String::from_utf8(bytes).map_err(|source| {
        let line = line_after(&source.as_bytes()[..source.utf8_error().valid_up_to()]);
        Error::invalid_input(format!("{}, line {line}: this is not UTF-8 text", path.display()))
    })
}

fn too_much(message: String) -> Error {
    Error::new(ErrorKind::LimitExceeded, message).with_hint("Split the list.")
}

/// The defaults as JSON, without what every job has of its own. Their paths are not relative to the list.
fn base(defaults: &JobSpec) -> Result<Value> {
    let mut defaults = defaults.clone();
    for reference in defaults.characters.iter_mut().flat_map(|character| &mut character.references) {
        *reference = std::path::absolute(&*reference)
            .map_err(|source| Error::io(format_args!("read {}", reference.display()), source))?;
    }
    let mut base = serde_json::to_value(defaults)
        .map_err(|source| Error::internal(format!("cannot write a job as JSON: {source}")))?;
    if let Some(fields) = base.as_object_mut() {
        for name in OWN.iter().chain(&MAY_OWN) {
            fields.remove(*name);
        }
    }
    Ok(base)
}

/// A list with all that its jobs share.
struct List<'a> {
    path: &'a Path,
    text: &'a str,
    base: Value,
}

/// The long form of a list.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LongForm<'a> {
    #[serde(borrow, default)]
    defaults: Option<&'a RawValue>,
    #[serde(borrow)]
    jobs: Vec<&'a RawValue>,
}

impl List<'_> {
    fn json(mut self) -> Result<Vec<JobSpec>> {
        let failed = |source: serde_json::Error| {
            Error::invalid_input(format!("{} is no list of jobs: {source}", self.path.display()))
                .with_hint("A list is [{\"video\": …, \"audio\": …, \"output\": …}, …].")
        };
        let jobs = if self.text.trim_start().starts_with('[') {
            serde_json::from_str::<Vec<&RawValue>>(self.text).map_err(failed)?
        } else {
            let form: LongForm<'_> = serde_json::from_str(self.text).map_err(failed)?;
            if let Some(defaults) = form.defaults {
                let line = self.line_of(defaults);
                let defaults = self.value(defaults, line)?;
                merge(&mut self.base, defaults);
            }
            form.jobs
        };
        self.check_count(jobs.len())?;
        let job = |raw: &&RawValue| {
            let line = self.line_of(raw);
            self.job(self.value(raw, line)?, line)
        };
        jobs.iter().map(job).collect()
    }

    fn csv(&self) -> Result<Vec<JobSpec>> {
        let header = self.text.lines().next().unwrap_or_default();
        // Spreadsheets of many countries write semicolons.
        let delimiter = [b',', b';', b'\t'].into_iter().find(|&d| header.contains(char::from(d)));
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(delimiter.unwrap_or(b','))
            .trim(csv::Trim::All)
            .from_reader(self.text.as_bytes());
        let failed = |source: csv::Error| {
            let line = source.position().map_or(1, csv::Position::line);
            self.wrong(line, csv_message(&source))
        };
        let columns = reader.headers().map_err(failed)?.clone();
        if let Some(missing) = OWN.iter().find(|name| !columns.iter().any(|column| column == **name)) {
            return Err(self
                .wrong(1, format!("there is no column '{missing}'"))
                .with_hint("The first line names the columns: video,audio,output and any others of a job."));
        }
        let mut jobs = Vec::new();
        for record in reader.records() {
            let record = record.map_err(failed)?;
            let line = record.position().map_or(1, csv::Position::line);
            let mut job = Value::Object(Map::new());
            for (column, cell) in columns.iter().zip(&record).filter(|(_, cell)| !cell.is_empty()) {
                set(&mut job, column, cell_value(column, cell))
                    .map_err(|()| self.wrong(line, format!("the column '{column}' is there twice")))?;
            }
            self.check_count(jobs.len() + 1)?;
            jobs.push(self.job(job, line)?);
        }
        Ok(jobs)
    }

    /// A job from what the list says of it.
    fn job(&self, said: Value, line: u64) -> Result<JobSpec> {
        if !said.is_object() {
            return Err(self.wrong(line, "a job is an object with video, audio and output"));
        }
        let mut job = self.base.clone();
        merge(&mut job, said);
        let has_lines = job.get("say").is_some();
        let is_missing = |name: &&&str| job.get(**name).is_none() && !(**name == "audio" && has_lines);
        if let Some(missing) = OWN.iter().find(is_missing) {
            return Err(self.wrong(line, format!("the job has no {missing}")));
        }
        let mut spec: JobSpec =
            serde_json::from_value(job).map_err(|source| self.wrong(line, source.to_string()))?;
        if spec.version != SPEC_VERSION {
            return Err(self.wrong(line, format!("job version {} is not known", spec.version)));
        }
        let folder = self.path.parent().unwrap_or(Path::new(""));
        spec.paths_mut().into_iter().for_each(|path| *path = folder.join(&*path));
        Ok(spec)
    }

    fn value(&self, raw: &RawValue, line: u64) -> Result<Value> {
        serde_json::from_str(raw.get()).map_err(|source| {
            let inside = (source.line() as u64).saturating_sub(1);
            self.wrong(line + inside, "this is nested too deeply")
        })
    }

    /// The line on which a part of the text begins, from 1.
    fn line_of(&self, part: &RawValue) -> u64 {
        let offset = (part.get().as_ptr() as usize).saturating_sub(self.text.as_ptr() as usize);
        line_after(&self.text.as_bytes()[..offset.min(self.text.len())])
    }

    fn check_count(&self, count: usize) -> Result<()> {
        if count > MOST_JOBS {
            return Err(too_much(format!("{} has more than {MOST_JOBS} jobs", self.path.display())));
        }
        Ok(())
    }

    fn wrong(&self, line: u64, what: impl std::fmt::Display) -> Error {
        Error::invalid_input(format!("{}, line {line}: {what}", self.path.display()))
    }
}

/// The line that follows these bytes, from 1.
fn line_after(before: &[u8]) -> u64 {
    before.split(|byte| *byte == b'\n').count() as u64
}

/// Lays `over` over `under`, field by field.
fn merge(under: &mut Value, over: Value) {
    match (under, over) {
        (Value::Object(under), Value::Object(over)) => {
            for (name, value) in over {
                merge(under.entry(name).or_insert(Value::Null), value);
            }
        }
        (under, over) => *under = over,
    }
}

/// Sets the field with the dotted name `column`.
///
/// # Errors
/// When it is set already.
fn set(job: &mut Value, column: &str, value: Value) -> Result<(), ()> {
    let mut place = job;
    for name in column.split('.') {
        let fields = place.as_object_mut().ok_or(())?;
        place = fields.entry(name).or_insert_with(|| Value::Object(Map::new()));
    }
    if place.as_object().is_some_and(Map::is_empty) {
        *place = value;
        return Ok(());
    }
    Err(())
}

/// What a cell means: a number or a truth value where it is one, otherwise its text. Paths are always text.
fn cell_value(column: &str, cell: &str) -> Value {
    let text = || Value::String(cell.to_owned());
    if OWN.contains(&column) || MAY_OWN.contains(&column) {
        return text();
    }
    match serde_json::from_str(cell) {
        // As `--face 2` on the command line.
        Ok(Value::Number(number)) if column == "face" => serde_json::json!({ "nth": number }),
        Ok(value @ (Value::Number(_) | Value::Bool(_))) => value,
        _ => text(),
    }
}

fn csv_message(error: &csv::Error) -> String {
    match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("{len} cells where the first line has {expected_len}")
        }
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::speakers::Speakers;
    use proptest::prelude::*;

    fn read(text: impl AsRef<[u8]>) -> Result<Vec<JobSpec>> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("list");
        std::fs::write(&path, text).unwrap();
        let mut defaults = JobSpec::new("", "", "");
        defaults.engine.expression = 0.7;
        let mut jobs = read_list(&path, &defaults)?;
        for path in jobs.iter_mut().flat_map(JobSpec::paths_mut) {
            *path = path.strip_prefix(folder.path()).map(Path::to_owned).unwrap_or(path.clone());
        }
        Ok(jobs)
    }

    fn wanted() -> Vec<JobSpec> {
        let mut first = JobSpec::new("a.mp4", "b.wav", "out/c.mp4");
        (first.engine.expression, first.face) = (0.7, Speakers::Nth(2));
        let mut second = JobSpec::new("/a, b.mp4", "7", "d.mkv");
        (second.engine.expression, second.face, second.end_s) = (1.5, Speakers::All, Some(3.5));
        vec![first, second]
    }

    #[test]
    fn both_forms_of_json_and_csv_say_the_same() {
        let array = r#"[{"video": "a.mp4", "audio": "b.wav", "output": "out/c.mp4", "face": {"nth": 2}},
            {"version": 1, "video": "/a, b.mp4", "audio": "7", "output": "d.mkv", "face": "all", "end_s": 3.5,
             "engine": {"expression": 1.5}}]"#;
        let long = r#"{"defaults": {"face": "all", "end_s": 3.5}, "jobs": [
            {"video": "a.mp4", "audio": "b.wav", "output": "out/c.mp4", "face": {"nth": 2}, "end_s": null},
            {"video": "/a, b.mp4", "audio": "7", "output": "d.mkv", "engine": {"expression": 1.5}}]}"#;
        let csv = "\u{feff}video,audio,output,face,end_s,engine.expression\r\n\
            a.mp4,b.wav,out/c.mp4,2,,\r\n\"/a, b.mp4\",7,d.mkv,all,3.5,1.5\r\n";
        let semicolons = "video;audio;output;face;end_s;engine.expression\n\
            a.mp4;b.wav;out/c.mp4;2;;\n/a, b.mp4;7;d.mkv;all;3.5;1.5\n";
        for list in [array, long, csv, semicolons] {
            assert_eq!(read(list).unwrap(), wanted(), "{list}");
        }
    }

    #[test]
    fn lines_come_in_json_with_paths_of_their_own() {
        let list = r#"[{"video": "a.mp4", "output": "c.mp4", "sound": "mix.wav", "say":
            [{"who": "face_1", "audio": "b.wav", "start_s": 1.5}, {"bbox": [1, 2, 3, 4], "audio": "/d.wav"}]}]"#;
        let jobs = read(list).unwrap();
        let line = |who: &str, audio: &str| crate::Line {
            who: who.to_owned(),
            audio: Some(audio.into()),
            ..crate::Line::default()
        };
        let mut wanted = JobSpec::of_lines("a.mp4", [line("face_1", "b.wav"), line("", "/d.wav")], "c.mp4");
        (wanted.say[0].start_s, wanted.say[1].bbox) = (Some(1.5), Some([1.0, 2.0, 3.0, 4.0]));
        (wanted.sound, wanted.engine.expression) = (Some("mix.wav".into()), 0.7);
        assert_eq!(jobs, [wanted]);
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        let deep = format!("[\n{{\"video\": {}1{}}}]", "[".repeat(100_000), "]".repeat(100_000));
        for (list, expected) in [
            ("", "no column 'video'"),
            ("[]", "there is no job"),
            ("video,audio,output\n", "there is no job"),
            ("video,output\na,b\n", "line 1: there is no column 'audio'"),
            ("video,audio,output\na,b,c\na,b\n", "line 3: 2 cells where the first line has 3"),
            ("video,audio,output\na,,c\n", "line 2: the job has no audio"),
            ("video,audio,output,video\na,b,c,d\n", "the column 'video' is there twice"),
            ("video,audio,output,lop\na,b,c,none\n", "line 2: unknown field `lop`"),
            ("video,audio,output,face.nth,face\na,b,c,1,2\n", "the column 'face' is there twice"),
            ("[{\"video\": \"a\",\n\"audio\": ]", "line 2"),
            ("[\n\n{\"video\": \"a\", \"output\": \"c\"}]", "line 3: the job has no audio"),
            ("[\n1]", "line 2: a job is an object"),
            ("{\"jobs\": [], \"job\": 1}", "unknown field `job`"),
            ("[\n{\"video\": 1, \"audio\": \"b\", \"output\": \"c\"}]", "line 2: invalid type"),
            ("[{\"version\": 2, \"video\": \"a\", \"audio\": \"b\", \"output\": \"c\"}]", "version 2"),
            (deep.as_str(), "line 2: this is nested too deeply"),
        ] {
            let error = read(list).unwrap_err();
            assert!(error.to_string().contains(expected), "{expected}: {error}");
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
        }
        assert!(read(b"video,audio,output\na,b,\xff\n").unwrap_err().to_string().contains("line 2"));
        assert_eq!(read_list(Path::new("/nowhere"), &wanted()[0]).unwrap_err().kind(), ErrorKind::NotFound);
    }

    #[test]
    fn a_list_without_end_is_refused() {
        let many = format!("video,audio,output\n{}", "a,b,c\n".repeat(MOST_JOBS + 1));
        assert_eq!(read(many).unwrap_err().kind(), ErrorKind::LimitExceeded);
        let long = " ".repeat(MOST_BYTES as usize + 1);
        assert_eq!(read(long).unwrap_err().kind(), ErrorKind::LimitExceeded);
    }

    proptest! {
        #[test]
        fn no_text_panics(text in r#"([\[\]{},:;"'\n\\ a-z0-9.]|video|audio|output|jobs|null){0,80}"#) {
            let _ = read(&text);
        }
    }
}
