//! `viseme faces`: what the tracker sees, frame by frame.

use crate::analyse::{Analysis, Analyst, no_frame, timebase};
use crate::clip::{Clip, FileClip, RangeReader, TimeRange};
use crate::contact_sheet::{ContactSheet, spread};
use crate::job::work_dir;
use crate::people::{Cast, Character, Embedders, People, Person, check_characters};
use crate::picture::png_bytes;
use crate::plan::FacePlan;
use crate::runner::face_nets;
use crate::speaking::{HeardFrom, Senses, SpeakerSenseChoice, Speaking, Talk, hear};
use crate::spec::{check_is_file, check_range, check_smoothing, is_same_file};
use crate::summary::milliseconds;
use crate::threads::guarded;
use crate::ticks::Ticks;
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use viseme_audio::mel::SAMPLE_RATE_HZ;
use viseme_core::segment::SkipReason;
use viseme_core::{Error, ErrorKind, FrameIndex, Limits, Observer, Progress, Pts, Result, Stage};
use viseme_face::preview::{PreviewFace, draw};
use viseme_face::{
    DEFAULT_SMOOTHING, DetectorChoice, FaceChoice, FaceNets, FaceObservation, Track, Weights, segments,
};
use viseme_imaging::{ColourInfo, Frame};
use viseme_media::{
    AudioReader, Container, EncodeSettings, FrameSink, MediaInfo, MuxPlan, OutputFile, OutputVideo, Tools,
    VideoCodec, VideoWriter, WrittenVideo, mux, probe,
};
use viseme_models::{RuntimeRequest, Runtimes, Store};

/// What to look at.
#[derive(Debug, Clone, PartialEq)]
pub struct FacesSpec {
    /// The video, or a picture.
    pub video: PathBuf,
    /// Use the video from this time on, in seconds. None is its start.
    pub start_s: Option<f64>,
    /// Use the video up to this time, in seconds. None is its end.
    pub end_s: Option<f64>,
    /// The people who are known by name, with pictures of them.
    pub characters: Vec<Character>,
    /// Least cosine between the embeddings of two pictures of one person, 0 to 1. None is what was measured for the
    /// embedder in use.
    pub similarity: Option<f32>,
    /// Where to write the video with boxes and landmarks drawn on it. None writes none.
    pub preview: Option<PathBuf>,
    /// Where to write a picture, PNG, of up to 24 frames spread over the range with the same drawn on them. None writes
    /// none.
    pub contact_sheet: Option<PathBuf>,
    /// How strongly faces are smoothed over time, 0 (as they were seen) to 1.
    pub smoothing: f32,
    /// Whether the landmarks are written.
    pub landmarks: bool,
    /// What tells who speaks. None does not ask.
    pub speaking: Option<SpeakerSenseChoice>,
    /// Which weights the face nets have.
    pub weights: Weights,
    /// Which detector looks for faces.
    pub detector: DetectorChoice,
    /// What runs the models, and on what.
    pub runtime: RuntimeRequest,
    /// What the video may at most be.
    pub limits: Limits,
}

/// One line of the output of [`faces`].
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FacesLine {
    /// The frame, counted from the start of the range.
    pub frame: u64,
    /// Its time from the start of the range, in milliseconds.
    pub timestamp_ms: u64,
    /// Whether there is voice in the sound, when it was asked who speaks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub voice: Option<bool>,
    /// The faces in it.
    pub faces: Vec<FaceLine>,
}

/// One face of a [`FacesLine`].
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FaceLine {
    /// The number of its track in order of appearance, from 1: what [`Speakers::Nth`](crate::Speakers::Nth) takes.
    pub number: u32,
    /// Who it is: the id of a character, or `face_1`, `face_2`, … The same in every shot.
    pub character_id: String,
    /// `[x, y, width, height]` in pixels.
    pub bbox: [f32; 4],
    /// How sure the tracker is, 0 to 1.
    pub confidence: f32,
    /// How sure it is that nothing covers the lips, 0 to 1.
    pub mouth_visible: f32,
    /// `[pitch, yaw, roll]` in degrees.
    pub head_pose: [f32; 3],
    /// How well it could be synced, 0 to 1.
    pub sync_quality: f32,
    /// Whether its lips could be moved.
    pub syncable: bool,
    /// Why not.
    pub skip_reason: Option<SkipReason>,
    /// Whether it has the word, when it was asked who speaks. In a pause, whoever spoke before it or will speak after it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub speaking: Option<bool>,
    /// `[x, y, z]` of each landmark in pixels, when asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub landmarks: Option<Vec<[f32; 3]>>,
}

/// What [`faces`] saw in all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FacesSummary {
    /// The detector that looked for faces: `native`, or the name of its model.
    pub detector: String,
    /// Frames looked at.
    pub frames: u64,
    /// Different people.
    pub faces: u64,
    /// The characters who are seen, in the order in which they were given.
    pub characters_detected: Vec<String>,
    /// The colour of everybody who is seen, as in the preview: `#rrggbb` by id.
    pub character_colors: BTreeMap<String, String>,
    /// Frames with at least one face.
    pub frames_with_face: u64,
}

/// Follows the faces of a video, then writes one JSON line per frame to `output`, and the preview.
///
/// A face is called syncable in exactly the frames in which a job would move its lips, if it were chosen.
///
/// # Errors
/// When the video cannot be read, or `output` or the preview cannot be written; `Cancelled` when the observer said
/// so.
pub fn faces(
    spec: &FacesSpec,
    output: &mut (dyn Write + Send),
    observer: &dyn Observer,
) -> Result<FacesSummary> {
    spec.validate()?;
    let tools = Tools::locate()?;
    let folder = Store::open().ok().map(|store| store.runtimes_folder());
    let runtimes = Arc::new(Runtimes::find(spec.runtime, folder.as_deref())?);
    let nets = face_nets(spec.weights, spec.detector, runtimes.as_ref())?;
    let embedders = Embedders::Best(Arc::clone(&runtimes), spec.weights);
    let senses = Senses::Installed(runtimes);
    guarded("faces", || {
        let (tools, nets) = (&tools, &nets);
        Faces { spec, tools, nets, embedders: &embedders, senses: &senses, observer }.run(output)
    })
}

impl FacesSpec {
    /// All of `video`, looked at with defaults.
    #[must_use]
    pub fn new(video: impl Into<PathBuf>) -> Self {
        Self {
            video: video.into(),
            start_s: None,
            end_s: None,
            characters: Vec::new(),
            similarity: None,
            preview: None,
            contact_sheet: None,
            smoothing: DEFAULT_SMOOTHING,
            landmarks: false,
            speaking: None,
            weights: Weights::default(),
            detector: DetectorChoice::default(),
            runtime: RuntimeRequest::default(),
            limits: Limits::default(),
        }
    }

    /// Checks everything that can be checked without opening the video.
    ///
    /// # Errors
    /// `NotFound`, `InvalidInput` or `Unsupported`.
    pub fn validate(&self) -> Result<()> {
        check_range(self.start_s, self.end_s)?;
        check_smoothing(self.smoothing)?;
        check_is_file(&self.video)?;
        check_characters(&self.characters, self.similarity)?;
        let references = || self.characters.iter().flat_map(|character| &character.references);
        for output in self.preview.iter().chain(&self.contact_sheet) {
            if std::iter::once(&self.video).chain(references()).any(|input| is_same_file(input, output)) {
                return Err(Error::invalid_input(format!("{} is both input and output", output.display())));
            }
        }
        if let Some(sheet) = &self.contact_sheet
            && !sheet.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("png"))
        {
            let message = format!("a contact sheet is a PNG, which {} is not", sheet.display());
            return Err(Error::new(ErrorKind::Unsupported, message).with_hint("Name it .png."));
        }
        let Some(preview) = &self.preview else { return Ok(()) };
        let codec = VideoCodec::default();
        if Container::of(preview)?.takes_video(codec) {
            return Ok(());
        }
        let message = format!("{codec:?} does not go into {}", preview.display());
        Err(Error::new(ErrorKind::Unsupported, message).with_hint("Name the preview .mp4, .mov or .mkv."))
    }
}

/// The work of [`faces`].
struct Faces<'a> {
    spec: &'a FacesSpec,
    tools: &'a Tools,
    nets: &'a FaceNets,
    embedders: &'a Embedders,
    senses: &'a Senses,
    observer: &'a dyn Observer,
}

impl Faces<'_> {
    fn run(&self, output: &mut (dyn Write + Send)) -> Result<FacesSummary> {
        let (spec, limits) = (self.spec, &self.spec.limits);
        let work_dir = work_dir(&std::env::temp_dir())?;
        let preview = spec.preview.as_deref().map(OutputFile::create).transpose()?;
        let sheet = spec.contact_sheet.as_deref().map(OutputFile::create).transpose()?;
        let info = probe(self.tools, &spec.video, limits)?;
        let video = info.video.as_ref();
        let video =
            video.ok_or_else(|| Error::invalid_input(format!("{} has no picture", spec.video.display())))?;
        let clip = FileClip::new(self.tools, &spec.video, &info, video, limits);
        let tools = (self.tools, self.nets, limits);
        let cast = Cast::new(&spec.characters, spec.similarity, self.embedders, tools)?;
        let analyst = Analyst {
            clip: &clip,
            range: self.range(),
            nets: self.nets,
            choice: FaceChoice::All,
            limits,
            work_dir: work_dir.path(),
        };
        let analysis = analyst.analyse(None, self.observer)?.with_smoothing(spec.smoothing);
        let (people, warnings) = cast.identify(&analysis, self.observer)?;
        analysis.warnings.iter().chain(&warnings).for_each(|warning| self.observer.warn(warning));
        let speaking = self.speaking(&info, &clip, &analysis, &people)?;
        let seen = Seen { speaking, ..Seen::new(&analysis, &people) };
        let summary = seen.write_lines(output, spec.landmarks, self.nets.detector.name())?;
        if let Some(preview) = preview {
            let picture = work_dir.path().join("preview.mov");
            let picture = self.draw(&clip, &seen, &picture)?;
            let plan = MuxPlan {
                video: &picture,
                speech: None,
                source: None,
                duration_s: analysis.times.seconds(analysis.times.end()),
                is_edited_by_ai: false,
                tags: BTreeMap::new(),
            };
            mux(self.tools, &plan, preview, limits)?;
        }
        if let Some(file) = sheet {
            self.write_sheet(&clip, &seen, file)?;
        }
        Ok(summary)
    }

    fn range(&self) -> TimeRange {
        TimeRange { start_s: self.spec.start_s, end_s: self.spec.end_s }
    }

    /// Who speaks when, where that was asked.
    fn speaking(
        &self,
        info: &MediaInfo,
        clip: &FileClip<'_>,
        analysis: &Analysis,
        people: &People,
    ) -> Result<Option<Speaking>> {
        let Some(choice) = self.spec.speaking else { return Ok(None) };
        let video = &self.spec.video;
        let audio = info.default_audio().ok_or_else(|| {
            Error::invalid_input(format!("{} has no sound: nobody can be heard", video.display()))
        })?;
        let reader = AudioReader::open_stream(self.tools, video, audio, SAMPLE_RATE_HZ, &self.spec.limits)?;
        let sense = self.senses.open(choice, HeardFrom::Original)?;
        let part_s = (analysis.times.seconds(analysis.times.origin().0), analysis.times.length_s());
        let heard = hear(reader, HeardFrom::Original, part_s, self.observer)?;
        let talk = Talk { clip, range: self.range(), analysis, people, observer: self.observer };
        talk.listen(sense.as_ref(), &heard).map(Some)
    }

    /// Writes the frames with the faces drawn on them.
    fn draw(&self, clip: &FileClip<'_>, seen: &Seen<'_>, path: &Path) -> Result<WrittenVideo> {
        let mut video = OutputVideo::like(clip.info());
        video.timebase = timebase(clip);
        let settings = EncodeSettings::default();
        let mut sink = VideoWriter::create(self.tools, path, &video, &settings, &self.spec.limits)?;
        let mut reader = RangeReader::open(clip, self.range())?;
        let total = Some(seen.analysis.times.len() as u64);
        for index in 0..seen.analysis.times.len() {
            if self.observer.is_cancelled() {
                return Err(Error::cancelled());
            }
            let (_, mut frame) = reader.next_frame()?.ok_or_else(no_frame)?;
            seen.draw(&mut frame, &clip.info().colour, FrameIndex(index as u64))?;
            frame.pts = Pts(seen.analysis.times.start(index));
            sink.write(&frame)?;
            self.observer.progress(Progress { stage: Stage::Render, done: index as u64 + 1, total });
        }
        Box::new(sink).finish()
    }

    /// Writes the contact sheet: each of its frames is looked up in the clip, none is kept.
    fn write_sheet(&self, clip: &FileClip<'_>, seen: &Seen<'_>, file: OutputFile) -> Result<()> {
        let (analysis, colour) = (seen.analysis, &clip.info().colour);
        let times = &analysis.times;
        let mut sheet = ContactSheet::default();
        for index in spread(times.len()) {
            if self.observer.is_cancelled() {
                return Err(Error::cancelled());
            }
            let pts = Pts(times.origin().0 + times.start(index));
            let mut reader = clip.open_at(FrameIndex(analysis.first.0 + index as u64), pts)?;
            let mut frame = reader.next_frame()?.ok_or_else(no_frame)?;
            seen.draw(&mut frame, colour, FrameIndex(index as u64))?;
            sheet.add(&frame, colour)?;
        }
        std::fs::write(file.temporary_path(), png_bytes(&sheet.picture()?)?)
            .map_err(|source| Error::io(format_args!("write {}", file.target().display()), source))?;
        file.commit()
    }
}

/// What was seen, with what can be done about it.
struct Seen<'a> {
    analysis: &'a Analysis,
    people: &'a People,
    plans: Vec<FacePlan>,
    speaking: Option<Speaking>,
}

/// One face of one frame.
struct SeenFace<'a> {
    number: u32,
    person: &'a Person,
    face: FaceObservation,
    quality: f32,
    skip: Option<SkipReason>,
    speaking: Option<bool>,
}

impl<'a> Seen<'a> {
    fn new(analysis: &'a Analysis, people: &'a People) -> Self {
        let frames = 0..analysis.times.len() as u64;
        let tracks = analysis.tracks.tracks().iter();
        let plan = |track: &Track| FacePlan::new(track.id, &segments::frame_states(track, frames.clone()));
        Self { analysis, people, plans: tracks.map(plan).collect(), speaking: None }
    }

    fn in_frame(&self, frame: FrameIndex) -> Result<Vec<SeenFace<'a>>> {
        let mut faces = Vec::new();
        let tick = Ticks::new(&self.analysis.times).of_source(frame.0);
        let speaker = self.speaking.as_ref().map(|speaking| speaking.person_at(tick));
        let speaker = speaker.map(|position| position.and_then(|position| self.people.all().get(position)));
        for plan in &self.plans {
            let tracks = &self.analysis.tracks;
            let summary = tracks.track(plan.track).and_then(|track| track.summary(frame));
            let person = self.people.of(plan.track);
            if let (Some(summary), Some(person)) = (summary, person)
                && let Some(face) = tracks.smoothed(plan.track, frame)?
            {
                let (number, skip) = (plan.track.0 + 1, plan.source_state(frame).skip);
                let speaking = speaker.map(|speaker| speaker.is_some_and(|other| other.id == person.id));
                let quality = segments::sync_quality(summary);
                faces.push(SeenFace { number, person, face, quality, skip, speaking });
            }
        }
        Ok(faces)
    }

    fn write_lines(
        &self,
        output: &mut dyn Write,
        with_landmarks: bool,
        detector: &str,
    ) -> Result<FacesSummary> {
        let times = &self.analysis.times;
        let mut frames_with_face = 0;
        for index in 0..times.len() {
            let faces = self.in_frame(FrameIndex(index as u64))?;
            frames_with_face += u64::from(!faces.is_empty());
            let line = FacesLine {
                frame: index as u64,
                timestamp_ms: milliseconds(times.seconds(times.start(index))),
                voice: self
                    .speaking
                    .as_ref()
                    .map(|speaking| speaking.has_voice(Ticks::new(times).of_source(index as u64))),
                faces: faces.iter().map(|seen| seen.line(with_landmarks)).collect(),
            };
            let mut text = serde_json::to_vec(&line)
                .map_err(|source| Error::internal(format!("cannot write a face as JSON: {source}")))?;
            text.push(b'\n');
            output.write_all(&text).map_err(|source| Error::io("write the faces", source))?;
        }
        output.flush().map_err(|source| Error::io("write the faces", source))?;
        let people = self.people.all();
        let found = people.iter().filter(|person| person.is_character);
        Ok(FacesSummary {
            detector: detector.to_owned(),
            frames: times.len() as u64,
            faces: people.len() as u64,
            characters_detected: found.map(|person| person.id.clone()).collect(),
            character_colors: people.iter().map(|p| (p.id.clone(), p.colour_code())).collect(),
            frames_with_face,
        })
    }

    fn draw(&self, frame: &mut Frame, colour: &ColourInfo, index: FrameIndex) -> Result<()> {
        let faces = self.in_frame(index)?;
        let shown = faces.iter().map(|seen| PreviewFace {
            name: &seen.person.label,
            colour: seen.person.colour,
            face: &seen.face,
            quality: seen.quality,
            skip: seen.skip,
        });
        draw(frame, colour, &shown.collect::<Vec<_>>());
        Ok(())
    }
}

impl SeenFace<'_> {
    fn line(&self, with_landmarks: bool) -> FaceLine {
        let bbox = &self.face.bbox;
        let landmarks = || self.face.points.iter().map(|p| [p.x, p.y, p.z]).collect();
        FaceLine {
            number: self.number,
            character_id: self.person.id.clone(),
            bbox: [bbox.x, bbox.y, bbox.width, bbox.height],
            confidence: self.face.presence,
            mouth_visible: self.face.mouth_visible,
            head_pose: self.face.pose.euler_degrees(),
            sync_quality: self.quality,
            syncable: self.skip.is_none(),
            skip_reason: self.skip,
            speaking: self.speaking,
            landmarks: with_landmarks.then(landmarks),
        }
    }
}
