//! The token counts of a request, of the one who could tell: what was streamed of the answer and of the reasoning, what was hidden, and what
//! the first event brought.
//!
//! In: an exchange, and what the token rule counts of its texts where the server told nothing. Purely, once the answer is over.

use crate::records::record::{FirstEventSource, TokenSource, TokenUsage};
use crate::servers::client::HttpExchange;

/// Counts of one request.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct TokenCounts {
    pub prompt: Option<u64>,
    pub cached: Option<u64>,
    /// Streamed: answer, reasoning and tool calls.
    pub output: Option<u64>,
    /// Those of them that are reasoning.
    pub reasoning: Option<u64>,
    /// Reasoning that was counted and never streamed; nothing where the server does not tell.
    pub hidden: Option<u64>,
    /// Of the first token-bearing event, and how that is known.
    pub first_event: Option<(u32, FirstEventSource)>,
    pub source: Option<TokenSource>,
}

/// What the token rule says of the texts of an answer.
#[derive(Debug, Clone, Copy)]
pub(super) struct TokenRuleCounts {
    pub answer: u64,
    pub reasoning: u64,
    pub tool_calls: u64,
    pub first_event: u64,
    /// It is an estimate, and no tokenizer's.
    pub is_estimate: bool,
}

impl TokenCounts {
    /// The server's, where it told them.
    pub fn told(exchange: &HttpExchange) -> Self {
        let (Some(usage), Some(output)) = (exchange.usage, exchange.streamed_tokens()) else { return Self::default() };
        let TokenUsage { prompt_tokens, reasoning_tokens, cached_tokens, .. } = usage;
        let hidden = exchange.hidden_tokens();
        let streamed = reasoning_tokens.filter(|_| hidden == 0).filter(|told| is_possible(exchange, *told, output));
        Self {
            prompt: Some(prompt_tokens),
            cached: cached_tokens,
            output: Some(output),
            reasoning: Some(streamed.unwrap_or_else(|| reasoning_of(exchange, output)).min(output)),
            hidden: reasoning_tokens.map(|_| hidden),
            first_event: first_event(exchange, output, None),
            source: Some(TokenSource::Usage),
        }
    }

    /// Those of the token rule: `authored` for the prompt. Each event had a token at least.
    pub fn counted(authored: u64, exchange: &HttpExchange, rule: TokenRuleCounts) -> Self {
        let events = exchange.token_events.len() as u64;
        let total = rule.answer + rule.reasoning + rule.tool_calls;
        // An estimate of less than two tokens an event is worse than one token for each.
        let is_one_each = total <= events || rule.is_estimate && total < 2 * events;
        let output = if is_one_each { events } else { total };
        Self {
            prompt: Some(authored),
            output: Some(output),
            reasoning: Some(if is_one_each { exchange.reasoning_events } else { rule.reasoning }),
            first_event: first_event(exchange, output, Some(rule.first_event).filter(|_| !rule.is_estimate)),
            source: Some(TokenSource::TokenRule),
            ..Self::default()
        }
    }

    /// Tokens that the next turn's history gets of the answer.
    pub fn history_tokens(&self) -> u64 {
        self.output.unwrap_or(0).saturating_sub(self.reasoning.unwrap_or(0))
    }
}

/// Whether so many of the streamed tokens may be reasoning: each event with reasoning alone had one at least, and each other event had another.
/// vLLM 0.32 counts none where the prompt's template opens the reasoning.
fn is_possible(exchange: &HttpExchange, told: u64, output: u64) -> bool {
    let others = (exchange.token_events.len() as u64).saturating_sub(exchange.reasoning_events);
    exchange.reasoning_events > 0 && told >= exchange.reasoning_events && told + others <= output
}

/// How many of the streamed tokens are reasoning, where nobody tells: as many as its events where each is a token, else its share of the text.
fn reasoning_of(exchange: &HttpExchange, output: u64) -> u64 {
    if exchange.token_events.len() as u64 == output {
        return exchange.reasoning_events;
    }
    let (reasoning, all) = (text_units(&exchange.reasoning), all_units(exchange));
    (output * reasoning + all / 2).checked_div(all).unwrap_or(0)
}

/// How many tokens the first event brought, best known first: the server's count, one where events are as many as tokens, the token rule, its
/// share of the text. The other events had one token at least.
fn first_event(exchange: &HttpExchange, output: u64, rule: Option<u64>) -> Option<(u32, FirstEventSource)> {
    let events = exchange.token_events.len() as u64;
    if events == 0 {
        return None;
    }
    let known = |tokens: u64, source| u32::try_from(tokens).ok().map(|tokens| (tokens, source));
    if let Some(tokens) = exchange.first_event_tokens.filter(|tokens| u64::from(*tokens) <= output) {
        return Some((tokens, FirstEventSource::Usage));
    }
    if events == 1 || events == output {
        return known(output - (events - 1).min(output), FirstEventSource::Events);
    }
    let most = (output.saturating_sub(events - 1)).max(1);
    if let Some(tokens) = rule {
        return known(tokens.clamp(1, most), FirstEventSource::TokenRule);
    }
    let (first, all) = (text_units(&exchange.first_event_text), all_units(exchange).max(1));
    known(((output * first + all / 2) / all).clamp(1, most), FirstEventSource::TextShare)
}

fn all_units(exchange: &HttpExchange) -> u64 {
    [&exchange.answer, &exchange.reasoning, &exchange.tool_calls].into_iter().map(|text| text_units(text)).sum()
}

/// Words, numbers, marks and ideographs: what vocabularies split texts at first, and so a better measure of a share than characters.
fn text_units(text: &str) -> u64 {
    #[derive(PartialEq)]
    enum Run {
        None,
        Letters,
        Digits,
    }
    let mut units = 0;
    let mut run = Run::None;
    for c in text.chars() {
        let next = match c {
            c if c.is_whitespace() => {
                run = Run::None;
                continue;
            }
            c if c.is_numeric() => Run::Digits,
            // From here on scripts write words without spaces.
            c if c.is_alphabetic() && c < '\u{2E80}' => Run::Letters,
            _ => Run::None,
        };
        units += u64::from(next == Run::None || next != run);
        run = next;
    }
    units
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::foundation::clock::Micros;
    use crate::records::record::TokenSource;

    /// An answer of so many events, of which the first so many are reasoning; each brings this text.
    fn exchange(events: u64, reasoning: u64, text: &str) -> HttpExchange {
        let times = |count: u64| text.repeat(usize::try_from(count).unwrap());
        HttpExchange {
            token_events: (0..events).map(|event| Micros(event * 10_000)).collect(),
            reasoning_events: reasoning,
            first_event_text: text.to_owned(),
            reasoning: times(reasoning),
            answer: times(events - reasoning),
            ..HttpExchange::default()
        }
    }

    fn usage(output_tokens: u64, reasoning_tokens: Option<u64>) -> TokenUsage {
        TokenUsage { prompt_tokens: 200, output_tokens, reasoning_tokens, cached_tokens: None }
    }

    fn told(exchange: HttpExchange, usage: TokenUsage) -> TokenCounts {
        TokenCounts::told(&HttpExchange { usage: Some(usage), ..exchange })
    }

    #[test]
    fn words_numbers_marks_and_ideographs_are_units() {
        for (text, units) in [("", 0), ("  \n", 0), ("word0 word15 ", 4), ("don't, I", 5), ("語学 a", 3), ("x+=1;", 5)] {
            assert_eq!(text_units(text), units, "{text:?}");
        }
    }

    #[test]
    fn reasoning_that_was_never_streamed_is_told_apart_and_divides_nothing() {
        let counts = told(exchange(4, 0, "w "), usage(40, Some(36)));
        assert_eq!((counts.output, counts.reasoning, counts.hidden), (Some(4), Some(0), Some(36)));
        assert_eq!(counts.first_event, Some((1, FirstEventSource::Events)));
        // What is streamed is not hidden.
        let counts = told(exchange(40, 36, "w "), usage(40, Some(36)));
        assert_eq!((counts.output, counts.reasoning, counts.hidden), (Some(40), Some(36), Some(0)));
        // Who counts all as reasoning and shows some of it all the same is not believed.
        let counts = told(exchange(4, 0, "w "), usage(40, Some(40)));
        assert_eq!((counts.output, counts.hidden), (Some(4), Some(36)));
    }

    #[test]
    fn reasoning_that_nobody_counted_is_its_events_or_its_share_of_the_text() {
        assert_eq!(told(exchange(40, 36, "w "), usage(40, None)).reasoning, Some(36));
        assert_eq!(told(exchange(10, 5, "four words of it "), usage(40, None)).reasoning, Some(20));
        assert_eq!(told(exchange(10, 0, "w "), usage(40, None)).reasoning, Some(0));
    }

    #[test]
    fn a_count_of_reasoning_that_the_events_disprove_is_not_believed() {
        // As vLLM 0.32 counts what `deepseek_r1` streams, and a server that counts all.
        assert_eq!(told(exchange(40, 36, "w "), usage(40, Some(0))).reasoning, Some(36));
        assert_eq!(told(exchange(10, 5, "four words of it "), usage(40, Some(2))).reasoning, Some(20));
        assert_eq!(told(exchange(40, 20, "w "), usage(40, Some(40))).reasoning, Some(20));
        // A possible one is.
        assert_eq!(told(exchange(10, 5, "four words of it "), usage(40, Some(30))).reasoning, Some(30));
    }

    #[test]
    fn the_first_event_has_its_share_of_the_text_where_nobody_tells() {
        let words = |count: usize| "word ".repeat(count);
        // 16 words, and three times 8.
        let bundled = HttpExchange { first_event_text: words(16), answer: words(40), ..exchange(4, 0, "") };
        let counts = told(bundled.clone(), usage(40, None));
        assert_eq!(counts.first_event, Some((16, FirstEventSource::TextShare)));
        let counts = told(HttpExchange { first_event_tokens: Some(17), ..bundled.clone() }, usage(40, None));
        assert_eq!(counts.first_event, Some((17, FirstEventSource::Usage)));
        // Every other event had at least one.
        let nearly_all = HttpExchange { first_event_text: words(40), ..bundled };
        assert_eq!(told(nearly_all, usage(40, None)).first_event, Some((37, FirstEventSource::TextShare)));
        // All in one event; and more events than tokens.
        assert_eq!(told(exchange(1, 0, "w "), usage(40, None)).first_event, Some((40, FirstEventSource::Events)));
        assert_eq!(told(exchange(9, 0, "w "), usage(4, None)).first_event, Some((1, FirstEventSource::TextShare)));
    }

    #[test]
    fn the_token_rule_counts_reasoning_and_calls_and_no_event_less_than_once() {
        let rule = |tokens: u64, is_estimate| TokenRuleCounts { answer: tokens, reasoning: 0, tool_calls: 0, first_event: 3, is_estimate };
        let counted = |events, rule| TokenCounts::counted(200, &exchange(events, events / 2, "w "), rule);
        let exact = counted(40, TokenRuleCounts { reasoning: 20, tool_calls: 10, ..rule(30, false) });
        assert_eq!((exact.prompt, exact.output, exact.reasoning, exact.hidden), (Some(200), Some(60), Some(20), None));
        assert_eq!((exact.first_event, exact.source), (Some((3, FirstEventSource::TokenRule)), Some(TokenSource::TokenRule)));
        for (tokens, is_estimate, output) in [(30, false, 40), (30, true, 40), (79, true, 40), (80, true, 80), (41, false, 41)] {
            assert_eq!(counted(40, rule(tokens, is_estimate)).output, Some(output), "{tokens} {is_estimate}");
        }
        assert_eq!(counted(40, rule(30, true)).first_event, Some((1, FirstEventSource::Events)));
        assert_eq!(counted(40, rule(30, true)).reasoning, Some(20));
    }
}
