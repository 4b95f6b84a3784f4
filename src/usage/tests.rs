//! Every shape of usage, cut at every byte, and what is made of answers that tell none.
#![allow(clippy::arithmetic_side_effects, clippy::indexing_slicing, clippy::string_slice)]

use super::journal::Line;
use super::meter::Journal;
use super::reader::{AnswerUsage, Outcome};
use super::*;
use std::cell::RefCell;
#[cfg(all(target_family = "wasm", target_os = "unknown"))]
use wasm_bindgen_test::wasm_bindgen_test as test;

const JSON: &str = "application/json; charset=utf-8";
const EVENTS: &str = "text/event-stream";

/// An answer, and what it has used: by name, the rest is 0.
struct Shape {
    name: &'static str,
    operation: Operation,
    content_type: &'static str,
    body: &'static str,
    used: &'static [(&'static str, u64)],
    tier: Tier,
}

const fn shape(
    name: &'static str,
    operation: Operation,
    content_type: &'static str,
    body: &'static str,
    used: &'static [(&'static str, u64)],
) -> Shape {
    Shape { name, operation, content_type, body, used, tier: Tier::Standard }
}

const SHAPES: [Shape; 27] = [
    shape(
        "chat",
        Operation::Chat,
        JSON,
        r#"{"id":"c","choices":[{"message":{"content":"say \"usage\":{\"prompt_tokens\":9}"}}],
            "usage":{"prompt_tokens":120,"completion_tokens":30,"total_tokens":150,
            "prompt_tokens_details":{"cached_tokens":100,"audio_tokens":5},
            "completion_tokens_details":{"reasoning_tokens":20,"audio_tokens":3,"accepted_prediction_tokens":1}}}"#,
        &[
            ("input", 120),
            ("cached", 100),
            ("audio_in", 5),
            ("output", 30),
            ("reasoning", 20),
            ("audio_out", 3),
        ],
    ),
    Shape {
        tier: Tier::Priority,
        ..shape(
            "chat at a tier",
            Operation::Chat,
            JSON,
            r#"{"service_tier":"priority","usage":{"prompt_tokens":1,"completion_tokens":2}}"#,
            &[("input", 1), ("output", 2)],
        )
    },
    shape(
        "chat of DeepSeek",
        Operation::Chat,
        JSON,
        r#"{"usage":{"prompt_tokens":10,"completion_tokens":2,"total_tokens":12,"prompt_cache_hit_tokens":6,"prompt_cache_miss_tokens":4}}"#,
        &[("input", 10), ("cached", 6), ("output", 2)],
    ),
    shape(
        "chat of xAI, whose reasoning is apart",
        Operation::Chat,
        JSON,
        r#"{"usage":{"prompt_tokens":10,"completion_tokens":2,"total_tokens":19,"completion_tokens_details":{"reasoning_tokens":7}}}"#,
        &[("input", 10), ("output", 9), ("reasoning", 7)],
    ),
    shape(
        "a stream with include_usage",
        Operation::Chat,
        EVENTS,
        "data: {\"choices\":[{\"delta\":{\"content\":\"Hello\"}}],\"usage\":null}\n\n\
         data: {\"choices\":[],\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":3,\"total_tokens\":10}}\n\ndata: [DONE]\n\n",
        &[("input", 7), ("output", 3)],
    ),
    shape(
        "a stream that counts in every event",
        Operation::Chat,
        EVENTS,
        "data: {\"choices\":[{}],\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":1}}\r\n\r\n\
         data: {\"choices\":[{}],\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":2}}\r\n\r\ndata: [DONE]\r\n\r\n",
        &[("input", 7), ("output", 2)],
    ),
    shape(
        "a stream of Groq",
        Operation::Chat,
        EVENTS,
        "data: {\"choices\":[{}],\"x_groq\":{\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":4}}}\n\ndata: [DONE]\n\n",
        &[("input", 5), ("output", 4)],
    ),
    shape(
        "a stream of Moonshot",
        Operation::Chat,
        EVENTS,
        "data: {\"choices\":[{\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":4}}]}\n\ndata: [DONE]\n\n",
        &[("input", 5), ("output", 4)],
    ),
    shape(
        "responses",
        Operation::Responses,
        JSON,
        r#"{"output":[],"usage":{"input_tokens":50,"input_tokens_details":{"cached_tokens":20,"cache_write_tokens":4},"output_tokens":9,"output_tokens_details":{"reasoning_tokens":8},"total_tokens":59}}"#,
        &[("input", 50), ("cached", 20), ("cache_write", 4), ("output", 9), ("reasoning", 8)],
    ),
    shape(
        "a stream of responses",
        Operation::Responses,
        EVENTS,
        "event: response.created\ndata: {\"type\":\"response.created\",\"response\":{\"usage\":null}}\n\n\
         event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\"delta\":\"Hi\"}\n\n\
         event: response.completed\ndata: {\"type\":\"response.completed\",\"response\":{\"service_tier\":\"default\",\"usage\":{\"input_tokens\":50,\"output_tokens\":9}}}\n\n",
        &[("input", 50), ("output", 9)],
    ),
    shape(
        "embeddings",
        Operation::Embeddings,
        JSON,
        r#"{"object":"list","data":[{"embedding":[0.1,-2e-5,3]}],"usage":{"prompt_tokens":8,"total_tokens":8}}"#,
        &[("input", 8)],
    ),
    shape(
        "a transcription in tokens",
        Operation::Transcription,
        JSON,
        r#"{"text":"hi","usage":{"type":"tokens","input_tokens":14,"input_token_details":{"text_tokens":4,"audio_tokens":10},"output_tokens":45,"total_tokens":59}}"#,
        &[("input", 14), ("audio_in", 10), ("output", 45)],
    ),
    shape(
        "a transcription in seconds",
        Operation::Transcription,
        JSON,
        r#"{"text":"hi","usage":{"type":"duration","seconds":27.5}}"#,
        &[("audio_ms", 27_500)],
    ),
    shape(
        "a stream of a transcription",
        Operation::Transcription,
        EVENTS,
        "data: {\"type\":\"transcript.text.done\",\"text\":\"hi\",\"usage\":{\"input_tokens\":14,\"output_tokens\":45}}\n\n",
        &[("input", 14), ("output", 45)],
    ),
    shape(
        "images in tokens",
        Operation::Images,
        JSON,
        r#"{"data":[{"b64_json":"aGk="}],"usage":{"input_tokens":50,"input_tokens_details":{"image_tokens":40,"text_tokens":10},"output_tokens":99,"output_tokens_details":{"image_tokens":99}}}"#,
        &[("input", 50), ("image_in", 40), ("output", 99), ("image_out", 99), ("images", 1)],
    ),
    shape(
        "a stream of an image",
        Operation::Images,
        EVENTS,
        "event: image_generation.completed\ndata: {\"type\":\"image_generation.completed\",\"b64_json\":\"aGk=\",\"usage\":{\"input_tokens\":5,\"output_tokens\":9}}\n\n",
        &[("input", 5), ("output", 9), ("images", 1)],
    ),
    shape(
        "rerank of Cohere",
        Operation::Rerank,
        JSON,
        r#"{"results":[],"meta":{"billed_units":{"search_units":2}}}"#,
        &[("searches", 2)],
    ),
    shape(
        "messages",
        Operation::Messages,
        JSON,
        r#"{"type":"message","content":[{"type":"text","text":"Hi"}],"usage":{"input_tokens":10,"cache_creation_input_tokens":30,"cache_read_input_tokens":200,
            "cache_creation":{"ephemeral_5m_input_tokens":10,"ephemeral_1h_input_tokens":20},"output_tokens":5,
            "server_tool_use":{"web_search_requests":3},"service_tier":"standard"}}"#,
        &[
            ("input", 240),
            ("cached", 200),
            ("cache_write", 30),
            ("cache_write_hour", 20),
            ("output", 5),
            ("searches", 3),
        ],
    ),
    shape(
        "a stream of messages",
        Operation::Messages,
        EVENTS,
        "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"usage\":{\"input_tokens\":10,\"cache_read_input_tokens\":4,\"output_tokens\":1}}}\n\n\
         event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"delta\":{\"type\":\"text_delta\",\"text\":\"Hello there\"}}\n\n\
         event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":12}}\n\n\
         event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
        &[("input", 14), ("cached", 4), ("output", 12)],
    ),
    shape(
        "a stream of messages that repeats the input",
        Operation::Messages,
        EVENTS,
        "data: {\"type\":\"message_start\",\"message\":{\"usage\":{\"input_tokens\":10,\"output_tokens\":1}}}\n\n\
         data: {\"type\":\"message_delta\",\"usage\":{\"input_tokens\":11,\"output_tokens\":12}}\n\ndata: {\"type\":\"message_stop\"}\n\n",
        &[("input", 11), ("output", 12)],
    ),
    shape(
        "Bedrock's Converse",
        Operation::Messages,
        JSON,
        r#"{"output":{"message":{"role":"assistant","content":[{"text":"Hi"}]}},"stopReason":"end_turn",
            "usage":{"inputTokens":10,"outputTokens":5,"totalTokens":245,"cacheReadInputTokens":200,"cacheWriteInputTokens":30}}"#,
        &[("input", 240), ("cached", 200), ("cache_write", 30), ("output", 5)],
    ),
    shape(
        "generateContent",
        Operation::Generate,
        JSON,
        r#"{"candidates":[{"content":{"parts":[{"text":"Hi"}]}}],"usageMetadata":{"promptTokenCount":100,"cachedContentTokenCount":40,
            "candidatesTokenCount":20,"thoughtsTokenCount":30,"toolUsePromptTokenCount":7,"totalTokenCount":157,
            "promptTokensDetails":[{"modality":"TEXT","tokenCount":90},{"tokenCount":10,"modality":"AUDIO"}],
            "candidatesTokensDetails":[{"modality":"IMAGE","tokenCount":6}]}}"#,
        &[
            ("input", 107),
            ("cached", 40),
            ("audio_in", 10),
            ("output", 50),
            ("reasoning", 30),
            ("image_out", 6),
        ],
    ),
    shape(
        "a stream of generateContent",
        Operation::Generate,
        EVENTS,
        "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"Hi\"}]}}],\"usageMetadata\":{\"promptTokenCount\":9,\"candidatesTokenCount\":1,\"promptTokensDetails\":[{\"modality\":\"AUDIO\",\"tokenCount\":3}]}}\r\n\r\n\
         data: {\"candidates\":[{\"finishReason\":\"STOP\"}],\"usageMetadata\":{\"promptTokenCount\":9,\"candidatesTokenCount\":4,\"promptTokensDetails\":[{\"modality\":\"AUDIO\",\"tokenCount\":3}]}}\r\n\r\n",
        &[("input", 9), ("audio_in", 3), ("output", 4)],
    ),
    shape(
        "a list of generateContent",
        Operation::Generate,
        JSON,
        "[{\"usageMetadata\":{\"promptTokenCount\":9,\"candidatesTokenCount\":1}}\n,\n{\"usageMetadata\":{\"promptTokenCount\":9,\"candidatesTokenCount\":5}}]",
        &[("input", 9), ("output", 5)],
    ),
    shape(
        "JSON whatever the content-type",
        Operation::Chat,
        "text/plain",
        " \n{\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":2}}",
        &[("input", 1), ("output", 2)],
    ),
    shape(
        "numbers that are no counts",
        Operation::Chat,
        JSON,
        r#"{"usage":{"prompt_tokens":99999999999999999999999,"completion_tokens":-1,"x":[{"prompt_tokens":3}]}}"#,
        &[("input", 1_000_000_000_000)],
    ),
    shape(
        "an event without its last line",
        Operation::Chat,
        EVENTS,
        "data: {\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":2}}",
        &[("input", 1), ("output", 2)],
    ),
];

fn used(amounts: &[(&str, u64)]) -> Usage {
    let of = |name: &&str| amounts.iter().find(|(own, _)| own == name).map_or(0, |(_, n)| *n);
    Usage::of(Usage::NAMES.each_ref().map(of))
}

fn read(shape: &Shape, pieces: &[&[u8]]) -> Outcome {
    let mut reader = AnswerUsage::new(shape.content_type.as_bytes(), b"");
    pieces.iter().for_each(|piece| reader.feed(piece));
    reader.outcome(shape.operation, 400, true)
}

#[test]
fn every_shape_is_read_wherever_it_is_cut() {
    for shape in &SHAPES {
        let (basis, body) = (Basis::Counted, shape.body.as_bytes());
        // How it is cut makes no difference to why it ends either: below are the words.
        let finish = read(shape, &[body]).finish;
        let expected = Outcome { basis, usage: used(shape.used), tier: shape.tier, finish };
        for cut in 0..=body.len() {
            let pieces = [&body[..cut], &body[cut..]];
            assert_eq!(read(shape, &pieces), expected, "{} cut at {cut}", shape.name);
        }
        let bytes: Vec<&[u8]> = body.chunks(1).collect();
        assert_eq!(read(shape, &bytes), expected, "{}, byte by byte", shape.name);
    }
}

#[test]
fn an_answer_says_why_it_ends() {
    for (content_type, body, word) in [
        (JSON, r#"{"choices":[{"finish_reason":"length","message":{}}]}"#, "length"),
        (JSON, r#"{"candidates":[{"content":{},"finishReason":"MAX_TOKENS"}]}"#, "MAX_TOKENS"),
        (JSON, r#"{"content":[{"text":"x"}],"stop_reason":"end_turn"}"#, "end_turn"),
        (JSON, r#"{"output":[{"status":"other"}],"status":"incomplete"}"#, "incomplete"),
        (JSON, r#"{"choices":[{"finish_reason":null}]}"#, ""),
        (
            EVENTS,
            "data: {\"choices\":[{\"delta\":{},\"finish_reason\":null}]}\n\n\
             data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"tool_calls\"}]}\n\n\
             data: {\"choices\":[],\"usage\":{\"prompt_tokens\":1}}\n\ndata: [DONE]\n\n",
            "tool_calls",
        ),
        (
            EVENTS,
            "data: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"refusal\"}}\n\n",
            "refusal",
        ),
        (
            EVENTS,
            "data: {\"type\":\"response.completed\",\"response\":{\"status\":\"completed\"}}\n\n",
            "completed",
        ),
    ] {
        let mut reader = AnswerUsage::new(content_type.as_bytes(), b"");
        reader.feed(body.as_bytes());
        let outcome = reader.outcome(Operation::Chat, 4, true);
        assert_eq!(str::from_utf8(outcome.finish.as_bytes()), Ok(word), "{body}");
    }
}

/// Content-type, body, whether it is whole, what it is taken for, input and output; the request has 400 bytes.
const GUESSES: [(&str, &str, bool, Basis, u64, u64); 10] = [
    (JSON, r#"{"choices":[{"message":{"content":"12345678"}}]}"#, true, Basis::Estimated, 100, 2),
    (
        EVENTS,
        "data: {\"choices\":[{\"delta\":{\"content\":\"123456789\"}}]}\n\ndata: [DONE]\n\n",
        true,
        Basis::Estimated,
        100,
        3,
    ),
    (
        EVENTS,
        "data: {\"choices\":[{\"delta\":{\"content\":\"12345678\"}}]}\n\n",
        false,
        Basis::Partial,
        100,
        2,
    ),
    (
        EVENTS,
        "data: {\"type\":\"message_start\",\"message\":{\"usage\":{\"input_tokens\":10,\"output_tokens\":1}}}\n\n\
         data: {\"type\":\"content_block_delta\",\"delta\":{\"text\":\"12345678\"}}\n\n",
        true,
        Basis::Partial,
        10,
        3,
    ),
    (
        EVENTS,
        "data: {\"type\":\"response.output_text.delta\",\"delta\":\"12345678\"}\n\n\
         data: {\"type\":\"response.output_text.done\",\"text\":\"12345678\"}\n\n",
        false,
        Basis::Partial,
        100,
        2,
    ),
    (
        EVENTS,
        "data: {\"usageMetadata\":{\"promptTokenCount\":9,\"candidatesTokenCount\":4}}\n\n",
        false,
        Basis::Partial,
        9,
        4,
    ),
    (EVENTS, "data: {\"error\":{\"message\":\"overloaded\"}}\n\n", true, Basis::Failed, 0, 0),
    (JSON, r#"{"error":{"code":503}}"#, true, Basis::Failed, 0, 0),
    (
        EVENTS,
        "data: {\"choices\":[{\"delta\":{\"content\":\"1234\"}}]}\n\nevent: error\ndata: {\"error\":{}}\n\n",
        true,
        Basis::Estimated,
        100,
        1,
    ),
    ("audio/mpeg", "12345678", true, Basis::Estimated, 100, 2),
];

#[test]
fn an_answer_without_usage_is_never_0() {
    for (content_type, body, is_whole, basis, input, output) in GUESSES {
        for cut in 0..=body.len() {
            let mut reader = AnswerUsage::new(content_type.as_bytes(), b"");
            reader.feed(&body.as_bytes()[..cut]);
            reader.feed(&body.as_bytes()[cut..]);
            let found = reader.outcome(Operation::Chat, 400, is_whole);
            let expected = Usage { input, output, ..Usage::NONE };
            assert_eq!((found.basis, found.usage), (basis, expected), "{body} cut at {cut}");
        }
    }
}

#[test]
fn a_compressed_answer_is_read_when_it_is_whole() {
    // {"usage":{"prompt_tokens":1,"completion_tokens":2}}, in a stored block.
    let plain = br#"{"usage":{"prompt_tokens":1,"completion_tokens":2}}"#;
    let gzip = stored_gzip(plain);
    let mut reader = AnswerUsage::new(b"application/json", b"gzip");
    gzip.chunks(5).for_each(|piece| reader.feed(piece));
    let found = reader.outcome(Operation::Chat, 400, true);
    assert_eq!((found.basis, found.usage.input, found.usage.output), (Basis::Counted, 1, 2));
    // Another encoding is not read, and the estimate says so.
    let mut reader = AnswerUsage::new(b"application/json", b"br");
    reader.feed(b"12345678");
    let found = reader.outcome(Operation::Chat, 400, true);
    assert_eq!((found.basis, found.usage.input, found.usage.output), (Basis::Estimated, 100, 2));
}

/// RFC 1952, with one stored block of RFC 1951.
fn stored_gzip(plain: &[u8]) -> Vec<u8> {
    let step = |crc: u32, byte: &u8| {
        let bit = |crc: u32, _| if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
        (0..8).fold(crc ^ u32::from(*byte), bit)
    };
    let length = u16::try_from(plain.len()).unwrap();
    let mut gzip = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255, 1];
    gzip.extend(length.to_le_bytes());
    gzip.extend((!length).to_le_bytes());
    gzip.extend(plain);
    gzip.extend((!plain.iter().fold(!0, step)).to_le_bytes());
    gzip.extend(u32::from(length).to_le_bytes());
    gzip
}

fn admission() -> Admission {
    Admission {
        request: "1a2b.1.ff".to_owned(),
        attempt: 2,
        begun_ms: 1_764_374_400_000,
        key: String::new(),
        user: "-".to_owned(),
        provider: "one".to_owned(),
        model: "a b\n[wasm] wasm log x: gaud.journal.1 S".to_owned(),
        asked: "ä#%".to_owned(),
        operation: Operation::Chat,
        request_bytes: 400,
    }
}

fn settlement() -> Settlement {
    Settlement {
        admission: admission(),
        status: 200,
        basis: Basis::Partial,
        tier: Tier::Flex,
        usage: Usage { input: 10, cached: 4, output: 3, reasoning: 1, ..Usage::NONE },
        duration_ms: 1234,
        first_ms: None,
    }
}

const PREFIX: &str = "[2026-11-29 12:00:00.000][warning][wasm] wasm log gaud gaud gaud: ";

#[test]
fn a_record_is_a_line_and_back() {
    let begun = Record::Begun(admission());
    let line = begun.to_line();
    assert_eq!(
        line.split_once(" #").unwrap().0,
        "gaud.journal.1 A 1a2b.1.ff 2 1764374400000 - %2D one \
         a%20b%0A%5Bwasm%5D%20wasm%20log%20x:%20gaud.journal.1%20S %C3%A4%23%25 chat 400"
    );
    for record in [begun, Record::Ended(settlement())] {
        let line = record.to_line();
        assert!(line.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' '), "{line}");
        assert_eq!(Line::read(&format!("{PREFIX}{line}")), Line::Record(Box::new(record)));
    }
}

#[test]
fn a_torn_or_changed_record_is_broken() {
    let line = Record::Ended(settlement()).to_line();
    for length in "gaud.journal.1 ".len()..line.len() {
        let torn = format!("{PREFIX}{}", &line[..length]);
        assert_eq!(Line::read(&torn), Line::Broken, "{torn}");
    }
    for (from, to) in [("1234", "1235"), ("gaud.journal.1", "gaud.journal.2"), (" 200 ", " 201 ")] {
        let changed = format!("{PREFIX}{}", line.replace(from, to));
        assert_eq!(Line::read(&changed), Line::Broken, "{changed}");
    }
}

#[test]
fn only_what_a_filter_says_first_is_a_record() {
    let line = Record::Ended(settlement()).to_line();
    for prefix in [
        "",
        "wasm log gaud: ",
        "[2026][warning][http] wasm log gaud: ",
        "[2026][warning][http] x: [wasm] wasm log gaud: ",
        "[2026][warning][wasm] wasm log gaud gaud: gaud: the model ",
        "[2026][warning][wasm] the model wasm log gaud: ",
    ] {
        assert_eq!(Line::read(&format!("{prefix}{line}")), Line::Foreign, "{prefix}");
    }
    for prefix in [
        "[2026-11-29 12:00:00.000][12][warning][wasm] [source/extensions/common/wasm/context.cc:1] wasm log gaud_attempt gaud_attempt gaud: ",
        "2026-11-29T12:00:00Z stderr F [2026][warning][wasm] wasm log gaud: ",
        "{\"log\":\"[2026][warning][wasm] wasm log gaud gaud: ",
    ] {
        let read = Line::read(&format!("{prefix}{line}\\n\"}}"));
        assert!(matches!(read, Line::Record(_)), "{prefix}");
    }
}

#[derive(Default)]
struct Lines(RefCell<Vec<String>>);

impl Journal for Lines {
    fn write(&self, line: &str) {
        self.0.borrow_mut().push(line.to_owned());
    }
}

impl Lines {
    fn ends(&self) -> Vec<Settlement> {
        let lines = self.0.borrow();
        let end = |line: &String| match Record::parse(line).unwrap() {
            Record::Ended(settlement) => Some(settlement),
            Record::Begun(_) => None,
        };
        lines.iter().filter_map(end).collect()
    }
}

const BODY: &[u8] = br#"{"usage":{"prompt_tokens":1,"completion_tokens":2}}"#;

fn begun(lines: &Lines) -> Meter {
    let meter = Meter::begin(lines, admission(), false);
    assert_eq!(lines.0.borrow().len(), 1);
    meter
}

fn start(content_length: Option<u64>) -> AnswerStart<'static> {
    AnswerStart {
        status: 200,
        content_type: b"application/json",
        encoding: b"",
        content_length,
        end: false,
    }
}

#[test]
fn the_end_is_written_before_the_last_byte_passes() {
    for length in [Some(BODY.len() as u64), None] {
        let lines = Lines::default();
        let mut meter = begun(&lines);
        let begun_ms = admission().begun_ms;
        meter.respond(&lines, begun_ms + 5, &start(length));
        meter.feed(&lines, begun_ms + 10, &BODY[..10], false);
        assert!(lines.ends().is_empty() && meter.reads());
        meter.feed(&lines, begun_ms + 20, &BODY[10..], false);
        meter.feed(&lines, begun_ms + 30, b"", true);
        meter.end(&lines, begun_ms + 40);
        let ends = lines.ends();
        let end = ends.first().unwrap();
        assert_eq!((ends.len(), end.basis, end.usage.output), (1, Basis::Counted, 2));
        assert_eq!((end.first_ms, end.duration_ms, end.status), (Some(10), 20, 200));
    }
}

#[test]
fn the_usage_that_the_gateway_has_asked_for_is_counted_and_taken_out() {
    let stream = [
        "data: {\"choices\":[{\"delta\":{\"content\":\"Hi\"}}]}\n\n",
        "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":4}}\n\n",
        "data: [DONE]\n\n",
    ];
    let events = AnswerStart { content_type: b"text/event-stream; charset=utf-8", ..start(None) };
    let gzip = AnswerStart { encoding: b"gzip", ..events };
    for (has_asked, start, removes) in [
        (true, events, true),
        (false, events, false),
        (true, gzip, false),
        (true, start(None), false),
        (true, AnswerStart { status: 500, ..events }, false),
    ] {
        let lines = Lines::default();
        let mut meter = Meter::begin(&lines, admission(), has_asked);
        meter.respond(&lines, 0, &start);
        assert_eq!(meter.removes(), removes);
        if !removes {
            continue;
        }
        let whole = stream.concat();
        let (one, two) = whole.split_at(stream[0].len() + 10);
        let passed = [one, two].map(|piece| {
            let changed = meter.feed(&lines, 0, piece.as_bytes(), false);
            changed.unwrap_or_else(|| piece.into())
        });
        assert_eq!(passed.concat(), [stream[0], stream[2]].concat().as_bytes());
        let end = &lines.ends()[0];
        assert_eq!((end.basis, end.usage.input, end.usage.output), (Basis::Counted, 3, 4));
        assert!(meter.reads(), "what follows [DONE] may have to stay out too");
    }
}

#[test]
fn what_never_ends_is_written_when_the_stream_is_over() {
    for (status, basis, input) in
        [(0, Basis::Partial, 100), (200, Basis::Partial, 100), (503, Basis::Failed, 0)]
    {
        let lines = Lines::default();
        let mut meter = begun(&lines);
        if status > 0 {
            meter.respond(&lines, 0, &AnswerStart { status, ..start(None) });
        }
        meter.end(&lines, 0);
        meter.end(&lines, 0);
        let ends = lines.ends();
        assert_eq!(ends.len(), 1);
        assert_eq!((ends[0].basis, ends[0].usage.input, ends[0].status), (basis, input, status));
    }
    let lines = Lines::default();
    let mut meter = begun(&lines);
    meter.fail(&lines, 0);
    meter.end(&lines, 0);
    assert_eq!(lines.ends().iter().map(|end| end.basis).collect::<Vec<_>>(), [Basis::Failed]);
}
