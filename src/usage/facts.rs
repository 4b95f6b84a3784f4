//! The places of a provider's document that have usage, and what is read there.
//!
//! | place | |
//! |---|---|
//! | `usage`, `usageMetadata` of the document, of its `response`, of `x_groq`, of each of `choices` | the usage |
//! | `usage` of `message` | what a stream of Anthropic's says first: the input |
//! | `tokens`, `billed_units` of `meta` | Cohere's usage |
//! | `…_details` and `…Details` of a usage | its parts |
//! | `service_tier` of the document, of its `response`, of a usage | the tier |
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
            (_, Member::Message, true) => Message,
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
        let own = match place {
            Place::Root => of_root(name),
            Place::Message | Place::Response | Place::Choice => of_part(name),
            Place::Meta => match name {
                b"tokens" | b"billed_units" => Member::Usage,
                _ => Member::Other,
            },
            Place::Usage | Place::FirstUsage => of_usage(name),
            Place::Details(side) => of_details(side, name),
            Place::Creation => match name {
                b"ephemeral_1h_input_tokens" => Member::Number(Number::CreationHour),
                _ => Member::Other,
            },
            Place::ToolUse => match name {
                b"web_search_requests" => Member::Number(Number::Searches),
                _ => Member::Other,
            },
            Place::Modality(_) => match name {
                b"modality" => Member::Modality,
                b"tokenCount" => Member::ModalityTokens,
                _ => Member::Other,
            },
            _ => Member::Other,
        };
        if own == Member::Other && is_text(name) { Member::Text } else { own }
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

fn of_root(name: &[u8]) -> Member {
    match name {
        b"message" => Member::Message,
        b"response" | b"x_groq" => Member::Response,
        b"choices" => Member::Choices,
        b"data" => Member::Data,
        b"meta" => Member::Meta,
        b"type" => Member::Type,
        // An event of Responses has its text there.
        b"delta" => Member::Text,
        _ => of_part(name),
    }
}

fn of_part(name: &[u8]) -> Member {
    match name {
        b"usage" | b"usageMetadata" => Member::Usage,
        b"service_tier" => Member::Tier,
        b"error" => Member::Error,
        _ => Member::Other,
    }
}

fn of_usage(name: &[u8]) -> Member {
    use Number::*;
    Member::Number(match name {
        b"prompt_tokens" => PromptTokens,
        b"completion_tokens" => CompletionTokens,
        b"total_tokens" => TotalTokens,
        b"input_tokens" => InputTokens,
        b"output_tokens" => OutputTokens,
        b"prompt_cache_hit_tokens" => Cached,
        b"cache_creation_input_tokens" => CacheCreationInput,
        b"cache_read_input_tokens" => CacheReadInput,
        b"promptTokenCount" => PromptTokenCount,
        b"cachedContentTokenCount" => CachedContentTokenCount,
        b"candidatesTokenCount" => CandidatesTokenCount,
        b"thoughtsTokenCount" => ThoughtsTokenCount,
        b"toolUsePromptTokenCount" => ToolUsePromptTokenCount,
        b"search_units" => Searches,
        b"seconds" => return Member::Seconds,
        b"service_tier" => return Member::Tier,
        b"prompt_tokens_details" | b"input_tokens_details" | b"input_token_details" => {
            return Member::Details(Side::In);
        }
        b"completion_tokens_details" | b"output_tokens_details" | b"output_token_details" => {
            return Member::Details(Side::Out);
        }
        b"cache_creation" => return Member::Creation,
        b"server_tool_use" => return Member::ToolUse,
        b"promptTokensDetails" => return Member::Modalities(Side::In),
        b"candidatesTokensDetails" => return Member::Modalities(Side::Out),
        _ => return Member::Other,
    })
}

fn of_details(side: Side, name: &[u8]) -> Member {
    use Number::*;
    Member::Number(match (side, name) {
        (Side::In, b"cached_tokens") => Cached,
        (Side::In, b"cache_write_tokens") => CacheWrite,
        (Side::In, b"audio_tokens") => AudioIn,
        (Side::In, b"image_tokens") => ImageIn,
        (Side::Out, b"reasoning_tokens") => Reasoning,
        (Side::Out, b"audio_tokens") => AudioOut,
        (Side::Out, b"image_tokens") => ImageOut,
        _ => return Member::Other,
    })
}

/// The names under which answers have their text.
fn is_text(name: &[u8]) -> bool {
    matches!(
        name,
        b"content"
            | b"text"
            | b"arguments"
            | b"partial_json"
            | b"thinking"
            | b"reasoning"
            | b"reasoning_content"
            | b"refusal"
    )
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
