//! The places of a provider's document that have usage, and what is read there.
//!
//! | place | |
//! |---|---|
//! | `usage`, `usageMetadata` of the document, of its `response`, of `x_groq`, of each of `choices` | the usage |
//! | `usage` of `message` | what a stream of Anthropic's says first: the input |
//! | `tokens`, `billed_units` of `meta` | Cohere's usage |
//! | `…_details` and `…Details` of a usage | its parts |
//! | `service_tier` of the document, of its `response`, of a usage | the tier |
//! | `finish_reason`, `stop_reason`, `finishReason`, `status` of these, of each of `candidates` and of an event's `delta` | why the answer ends |
//! | texts, wherever they are | their bytes, for an estimate where no usage comes |

use super::raw::{Number, Raw};
use super::record::Tier;
use crate::document::{Reading, Word};

/// What was read of a document.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    pub raw: Raw,
    /// A usage has ended that is not the first of a stream of Anthropic's.
    pub has_usage: bool,
    pub tier: Option<Tier>,
    /// `type`.
    pub kind: Word,
    /// Why the answer ends.
    pub finish: Word,
    pub has_error: bool,
    /// How many bytes of text have come after the last usage.
    pub text_bytes: u64,
    /// How many objects `data` has.
    pub data: u64,
    modality: Option<Modality>,
    modality_tokens: u64,
}

/// The input's part of usage, or the output's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    In,
    Out,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Modality {
    Audio,
    Image,
}

/// A place of the table.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Place {
    #[default]
    Outside,
    List,
    Root,
    Message,
    /// `response` or `x_groq`.
    Response,
    Choices,
    Choice,
    Data,
    Datum,
    Meta,
    Usage,
    FirstUsage,
    Details(Side),
    Creation,
    ToolUse,
    Modalities(Side),
    Modality(Side),
    Error,
    OtherObject,
    OtherList,
}

/// A member of the table.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Member {
    #[default]
    Other,
    Usage,
    Message,
    Response,
    Choices,
    Data,
    Meta,
    Details(Side),
    Creation,
    ToolUse,
    Modalities(Side),
    Modality,
    ModalityTokens,
    Number(Number),
    Seconds,
    Tier,
    Type,
    Finish,
    Error,
    Text,
}

impl Reading for Facts {
    type Place = Place;
    type Member = Member;
    const DEEP: Place = Place::OtherList;

    fn inner(place: Place, member: Member, is_object: bool) -> Place {
        use Place::*;
        match (place, member, is_object) {
            (Outside, _, false) => List,
            (Outside | List, _, true) => Root,
            (Message, Member::Usage, true) => FirstUsage,
            (_, Member::Usage, true) => Usage,
            (_, Member::Message, true) | (Root, Member::Text, true) => Message,
            (_, Member::Response, true) => Response,
            (_, Member::Choices, false) => Choices,
            (Choices, _, true) => Choice,
            (_, Member::Data, false) => Data,
            (Data, _, true) => Datum,
            (_, Member::Meta, true) => Meta,
            (_, Member::Details(side), true) => Details(side),
            (_, Member::Creation, true) => Creation,
            (_, Member::ToolUse, true) => ToolUse,
            (_, Member::Modalities(side), false) => Modalities(side),
            (Modalities(side), _, true) => Modality(side),
            (_, Member::Error, true) => Error,
            (_, _, true) => OtherObject,
            (_, _, false) => OtherList,
        }
    }

    fn is_object(place: Place) -> bool {
        use Place::*;
        !matches!(place, Outside | List | Choices | Data | Modalities(_) | OtherList)
    }

    fn is_last(_place: Place, depth: usize) -> bool {
        depth == 0
    }

    fn member(place: Place, name: &[u8]) -> Member {
        let own: &[&Names] = match place {
            Place::Root => &[OF_ROOT, OF_PART],
            Place::Message | Place::Response | Place::Choice => &[OF_PART],
            Place::Meta => &[OF_META],
            Place::Usage | Place::FirstUsage => &[OF_USAGE],
            Place::Details(Side::In) => &[OF_INPUT],
            Place::Details(Side::Out) => &[OF_OUTPUT],
            Place::Creation => &[OF_CREATION],
            Place::ToolUse => &[OF_TOOL_USE],
            Place::Modality(_) => &[OF_MODALITY],
            _ => &[],
        };
        let own = own.iter().find_map(|names| find(names, name));
        own.or_else(|| find(TEXTS, name)).unwrap_or_default()
    }

    fn value(&mut self, _place: Place, member: Member, word: &Word, is_text: bool) {
        let bytes = word.as_bytes();
        match member {
            Member::Number(number) if !is_text => {
                if let Some(value) = whole(bytes) {
                    self.raw.set(number, value);
                }
            }
            Member::Seconds if !is_text => {
                if let Some(ms) = thousandths(bytes) {
                    self.raw.set(Number::AudioMs, ms);
                }
            }
            Member::Tier if is_text => self.tier = Some(Tier::of_answer(bytes)),
            Member::Type if is_text => self.kind = *word,
            Member::Finish if is_text => self.finish = *word,
            Member::Error => self.has_error |= !matches!(bytes, b"null" | b"false" | b"0"),
            Member::Modality => {
                self.modality = match bytes {
                    b"AUDIO" => Some(Modality::Audio),
                    b"IMAGE" => Some(Modality::Image),
                    _ => None,
                }
            }
            Member::ModalityTokens => self.modality_tokens = whole(bytes).unwrap_or_default(),
            _ => {}
        }
    }

    fn piece(&mut self, member: Member, bytes: usize) {
        if member == Member::Text {
            self.text_bytes = self.text_bytes.saturating_add(bytes as u64);
        }
    }

    fn open(&mut self, place: Place) {
        match place {
            // A later list of one stream takes the place of an earlier list.
            Place::Modalities(Side::In) => self.begin_list(Number::AudioIn, Number::ImageIn),
            Place::Modalities(Side::Out) => self.begin_list(Number::AudioOut, Number::ImageOut),
            Place::Modality(_) => (self.modality, self.modality_tokens) = (None, 0),
            Place::Error => self.has_error = true,
            Place::Datum => self.data = self.data.saturating_add(1),
            _ => {}
        }
    }

    fn close(&mut self, place: Place) {
        match place {
            Place::Usage => (self.has_usage, self.text_bytes) = (true, 0),
            Place::FirstUsage => self.text_bytes = 0,
            Place::Modality(side) => {
                let number = match (side, self.modality) {
                    (_, None) => return,
                    (Side::In, Some(Modality::Audio)) => Number::AudioIn,
                    (Side::In, Some(Modality::Image)) => Number::ImageIn,
                    (Side::Out, Some(Modality::Audio)) => Number::AudioOut,
                    (Side::Out, Some(Modality::Image)) => Number::ImageOut,
                };
                self.raw.add(number, self.modality_tokens);
            }
            _ => {}
        }
    }
}

impl Facts {
    fn begin_list(&mut self, audio: Number, image: Number) {
        self.raw.set(audio, 0);
        self.raw.set(image, 0);
    }
}

/// Names of members, and what they are.
type Names = [(&'static str, Member)];

#[rustfmt::skip]
const OF_ROOT: &Names = &[
    ("message", Member::Message),
    ("response", Member::Response),
    ("x_groq", Member::Response),
    ("choices", Member::Choices),
    ("candidates", Member::Choices),
    ("data", Member::Data),
    ("meta", Member::Meta),
    ("type", Member::Type),
    // An event of Responses has its text there.
    ("delta", Member::Text),
];

#[rustfmt::skip]
const OF_PART: &Names = &[
    ("usage", Member::Usage),
    ("usageMetadata", Member::Usage),
    ("service_tier", Member::Tier),
    ("error", Member::Error),
    ("finish_reason", Member::Finish),
    ("stop_reason", Member::Finish),
    ("finishReason", Member::Finish),
    ("stopReason", Member::Finish),
    ("status", Member::Finish),
];

const OF_META: &Names = &[("tokens", Member::Usage), ("billed_units", Member::Usage)];

#[rustfmt::skip]
const OF_USAGE: &Names = &[
    ("prompt_tokens", Member::Number(Number::PromptTokens)),
    ("completion_tokens", Member::Number(Number::CompletionTokens)),
    ("total_tokens", Member::Number(Number::TotalTokens)),
    ("input_tokens", Member::Number(Number::InputTokens)),
    ("output_tokens", Member::Number(Number::OutputTokens)),
    ("prompt_cache_hit_tokens", Member::Number(Number::Cached)),
    ("cache_creation_input_tokens", Member::Number(Number::CacheCreationInput)),
    ("cache_read_input_tokens", Member::Number(Number::CacheReadInput)),
    ("inputTokens", Member::Number(Number::InputTokens)),
    ("outputTokens", Member::Number(Number::OutputTokens)),
    ("cacheReadInputTokens", Member::Number(Number::CacheReadInput)),
    ("cacheWriteInputTokens", Member::Number(Number::CacheCreationInput)),
    ("promptTokenCount", Member::Number(Number::PromptTokenCount)),
    ("cachedContentTokenCount", Member::Number(Number::CachedContentTokenCount)),
    ("candidatesTokenCount", Member::Number(Number::CandidatesTokenCount)),
    ("thoughtsTokenCount", Member::Number(Number::ThoughtsTokenCount)),
    ("toolUsePromptTokenCount", Member::Number(Number::ToolUsePromptTokenCount)),
    ("search_units", Member::Number(Number::Searches)),
    ("seconds", Member::Seconds),
    ("service_tier", Member::Tier),
    ("prompt_tokens_details", Member::Details(Side::In)),
    ("input_tokens_details", Member::Details(Side::In)),
    ("input_token_details", Member::Details(Side::In)),
    ("completion_tokens_details", Member::Details(Side::Out)),
    ("output_tokens_details", Member::Details(Side::Out)),
    ("output_token_details", Member::Details(Side::Out)),
    ("cache_creation", Member::Creation),
    ("server_tool_use", Member::ToolUse),
    ("promptTokensDetails", Member::Modalities(Side::In)),
    ("candidatesTokensDetails", Member::Modalities(Side::Out)),
];

#[rustfmt::skip]
const OF_INPUT: &Names = &[
    ("cached_tokens", Member::Number(Number::Cached)),
    ("cache_write_tokens", Member::Number(Number::CacheWrite)),
    ("audio_tokens", Member::Number(Number::AudioIn)),
    ("image_tokens", Member::Number(Number::ImageIn)),
];

#[rustfmt::skip]
const OF_OUTPUT: &Names = &[
    ("reasoning_tokens", Member::Number(Number::Reasoning)),
    ("audio_tokens", Member::Number(Number::AudioOut)),
    ("image_tokens", Member::Number(Number::ImageOut)),
];

const OF_CREATION: &Names = &[("ephemeral_1h_input_tokens", Member::Number(Number::CreationHour))];

const OF_TOOL_USE: &Names = &[("web_search_requests", Member::Number(Number::Searches))];

const OF_MODALITY: &Names =
    &[("modality", Member::Modality), ("tokenCount", Member::ModalityTokens)];

/// The names under which answers have their text, wherever.
#[rustfmt::skip]
const TEXTS: &Names = &[
    ("content", Member::Text),
    ("text", Member::Text),
    ("arguments", Member::Text),
    ("partial_json", Member::Text),
    ("thinking", Member::Text),
    ("reasoning", Member::Text),
    ("reasoning_content", Member::Text),
    ("refusal", Member::Text),
];

/// In tables and not in the code: a comparison that is written out for each name is ten times as long.
fn find(names: &Names, name: &[u8]) -> Option<Member> {
    names.iter().find(|(own, _)| own.as_bytes() == name).map(|(_, member)| *member)
}

/// A number without its fraction; `None` for a number below 0, and for what is not a number.
fn whole(text: &[u8]) -> Option<u64> {
    thousandths(text).map(|thousandths| thousandths / 1000)
}

/// A decimal number in thousandths. A number that is too long becomes the largest.
fn thousandths(text: &[u8]) -> Option<u64> {
    let mut value: u64 = 0;
    let mut after_point = None;
    for byte in text {
        match (byte, after_point) {
            (b'.', None) => after_point = Some(0_u32),
            (b'0'..=b'9', Some(3)) => {}
            (b'0'..=b'9', _) => {
                value = value.saturating_mul(10).saturating_add(u64::from(byte & 0xf));
                after_point = after_point.map(|digits| digits.saturating_add(1));
            }
            _ => return None,
        }
    }
    let missing = 3_u32.saturating_sub(after_point.unwrap_or_default());
    (!text.is_empty()).then(|| value.saturating_mul(10_u64.saturating_pow(missing)))
}
