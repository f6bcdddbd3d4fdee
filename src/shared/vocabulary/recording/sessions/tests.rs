use super::*;
use crate::vocabulary::session::MessageRole;

const WHOLE: SessionReadOptions = SessionReadOptions { unit: None, block_tokens: None, sessions: u64::MAX, turns: 1000 };

fn read_with(text: &str, cut: SessionReadOptions) -> Result<(SessionRecording, tempfile::NamedTempFile), String> {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs_err::write(file.path(), text).unwrap();
    SessionRecording::read(file.path(), cut).map(|recording| (recording, file)).map_err(|error| error.to_string())
}

fn read(text: &str) -> (SessionRecording, tempfile::NamedTempFile) {
    read_with(text, WHOLE).unwrap()
}

fn fault(text: &str) -> String {
    read_with(text, WHOLE).unwrap_err()
}

fn turns(recording: &SessionRecording, session: u64) -> Vec<(TurnTrigger, Option<u32>)> {
    recording.turns(session).map(|turn| (turn.due, turn.parent)).collect()
}

fn text(opening: Vec<ChatMessage>, ask: &str, answer: Option<&str>) -> RecordedAsk {
    RecordedAsk::Text { opening, ask: ask.into(), answer: answer.map(Into::into) }
}

use TurnTrigger::{After, At};

#[test]
fn conversations_are_read_as_messages_and_as_sharegpt_line_by_line_and_as_a_list() {
    let messages = r#"{"messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "One?"}, {"role": "assistant", "content": "Two."}, {"role": "user", "content": [{"type": "text", "text": "Three?"}]}]}"#;
    let sharegpt = r#"{"id": 1, "conversations": [{"from": "system", "value": "Be brief."}, {"from": "human", "value": "One?"}, {"from": "gpt", "value": "Two."}, {"from": "human", "value": "Three?"}]}"#;
    for row in [messages, sharegpt] {
        for file in [format!("{row}\n{row}\n"), format!("[{row},\n{row}]")] {
            let (recording, _file) = read(&file);
            assert_eq!((recording.count(), recording.has_times(), recording.has_whole_prompts()), (2, false, false));
            assert_eq!(turns(&recording, 1), [(At(0.0), None), (After(0.0), Some(0))]);
            let opening = vec![ChatMessage::new(MessageRole::System, "Be brief.")];
            assert_eq!(recording.ask(1, 0).unwrap(), text(opening, "One?", Some("Two.")));
            assert_eq!(recording.ask(1, 1).unwrap(), text(Vec::new(), "Three?", None));
            assert!(recording.ask(2, 0).is_err() && recording.ask(1, 2).is_err());
        }
    }
}

#[test]
fn own_prompts_are_sessions_of_one_turn_and_a_row_may_say_how_long_the_answer_to_its_last_question_is() {
    let conversation = r#"{"prompt": "beside it", "messages": [{"role": "user", "content": "One?"}, {"role": "assistant", "content": "Two."}, {"role": "user", "content": "Three?"}], "output_tokens": 9}"#;
    let (recording, _file) = read(&format!("{{\"prompt\": \"What?\", \"output_tokens\": 7}}\n{{\"text\": \"And?\"}}\n{conversation}\n"));
    assert_eq!((recording.count(), recording.has_times(), recording.has_whole_prompts()), (3, false, false));
    assert_eq!(recording.ask(0, 0).unwrap(), text(Vec::new(), "What?", None));
    assert_eq!(recording.ask(1, 0).unwrap(), text(Vec::new(), "And?", None));
    assert_eq!(recording.ask(2, 1).unwrap(), text(Vec::new(), "Three?", None));
    let lengths = |session| recording.turns(session).map(|turn| turn.output_tokens).collect::<Vec<_>>();
    assert_eq!([lengths(0), lengths(1), lengths(2)], [vec![Some(7)], vec![None], vec![None, Some(9)]]);
}

/// Of two sessions whose turns stand in each other's way, the second of which begins first.
const TURNS: &str = r#"{"session_id": "a", "timestamp": 3000, "text_input": "One?", "output_length": 16}
{"session_id": 7, "timestamp": 1000, "input_length": 30}
{"session_id": "a", "delay": 500, "text_input": "Two?"}
{"session_id": 7, "timestamp": 1700, "input_length": 600, "output_length": 4}
"#;

#[test]
fn turns_belong_to_their_sessions_and_come_at_times_or_after_delays() {
    let (recording, _file) = read(TURNS);
    assert_eq!((recording.count(), recording.has_times()), (2, true));
    assert_eq!([recording.start_ms(0), recording.start_ms(1), recording.start_ms(2)], [Some(0.0), Some(2000.0), None]);
    assert_eq!(turns(&recording, 0), [(At(0.0), None), (At(700.0), Some(0))]);
    assert_eq!(turns(&recording, 1), [(At(0.0), None), (After(500.0), Some(0))]);
    assert_eq!(recording.ask(0, 0).unwrap(), RecordedAsk::Tokens(30));
    assert_eq!(recording.ask(0, 1).unwrap(), RecordedAsk::Tokens(600));
    let (whole, _file) = read(r#"{"session_id": 1, "input_length": 600, "hash_ids": [4, 5]}"#);
    assert_eq!(whole.ask(0, 0).unwrap(), RecordedAsk::Blocks { hash_ids: vec![4, 5], tokens: 600 });
    assert!(whole.has_whole_prompts() && !recording.has_whole_prompts());
    assert_eq!(recording.ask(1, 1).unwrap(), text(Vec::new(), "Two?", None));
    assert_eq!(recording.turns(1).map(|turn| turn.output_tokens).collect::<Vec<_>>(), [Some(16), None]);
    let seconds = read_with(TURNS, SessionReadOptions { unit: Some(TimeUnit::S), ..WHOLE }).unwrap().0;
    assert_eq!((seconds.start_ms(1), turns(&seconds, 1)[1].0), (Some(2_000_000.0), After(500_000.0)));
    let first = read_with(TURNS, SessionReadOptions { sessions: 1, ..WHOLE }).unwrap().0;
    assert_eq!((first.count(), turns(&first, 0).len()), (1, 2), "the first session of the file, whole");
}

/// A turn with two children, one of which has a child: an agent that calls two others.
const CHATS: &str = r#"{"chat_id": 5, "parent_chat_id": -1, "timestamp": 1, "input_length": 16, "output_length": 3, "hash_ids": [1]}
{"chat_id": 6, "parent_chat_id": 5, "timestamp": 2, "input_length": 20, "output_length": 3, "hash_ids": [1, 2]}
{"chat_id": 7, "parent_chat_id": 5, "timestamp": 2.5, "input_length": 20, "output_length": 3, "hash_ids": [1, 3]}
{"chat_id": 8, "parent_chat_id": -1, "timestamp": 3, "input_length": 4, "output_length": 3, "hash_ids": [9]}
{"chat_id": 9, "parent_chat_id": 6, "timestamp": 4, "input_length": 40, "output_length": 3, "hash_ids": [1, 2, 4]}
"#;

#[test]
fn turns_wait_for_their_parents_which_may_have_several_children() {
    let (recording, _file) = read(CHATS);
    assert_eq!((recording.count(), recording.block_tokens(), recording.has_whole_prompts()), (2, 16, true));
    assert_eq!(turns(&recording, 0), [(At(0.0), None), (At(1000.0), Some(0)), (At(1500.0), Some(0)), (At(3000.0), Some(1))]);
    assert_eq!((turns(&recording, 1), recording.start_ms(1)), (vec![(At(0.0), None)], Some(2000.0)));
    assert_eq!(recording.ask(0, 3).unwrap(), RecordedAsk::Blocks { hash_ids: vec![1, 2, 4], tokens: 40 });
    assert_eq!(recording.turns(0).map(|turn| turn.input_tokens).collect::<Vec<_>>(), [Some(16), Some(20), Some(20), Some(40)]);
}

#[test]
fn requests_of_a_trace_are_sessions_of_one_turn() {
    let azure = "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:46,374,44\n2023-11-16 18:15:50.5,396,109\n";
    let (recording, _file) = read(azure);
    assert_eq!((recording.count(), recording.start_ms(1), turns(&recording, 1)), (2, Some(4500.0), vec![(At(0.0), None)]));
    assert_eq!(recording.ask(1, 0).unwrap(), RecordedAsk::Tokens(396));
}

#[test]
fn what_does_not_fit_is_refused_with_file_line_value_and_what_is_allowed() {
    for (text, line, said) in [
        (format!("{TURNS}{{\"session_id\": null, \"input_length\": 3}}"), 5, "`session_id` is `null`: it is a text or a number"),
        (format!("{TURNS}{{\"session_id\": 7, \"timestamp\": 2, \"input_length\": 3}}"), 5, "before the 1000 at which its session begins"),
        (format!("{TURNS}{{\"session_id\": 7, \"timestamp\": 2, \"delay\": 2, \"input_length\": 3}}"), 5, "not both"),
        (format!("{TURNS}{{\"session_id\": 8, \"delay\": 2, \"input_length\": 3}}"), 5, "write a `timestamp` instead of `delay`"),
        (format!("{TURNS}{{\"session_id\": 7, \"delay\": -2, \"input_length\": 3}}"), 5, "`delay` is -2"),
        (format!("{TURNS}{{\"session_id\": 7, \"delay\": 2, \"input_length\": 0}}"), 5, "`input_length` is 0"),
        (format!("{TURNS}{{\"session_id\": 7, \"delay\": 2}}"), 5, "a turn has `text_input` or `input_length`"),
        (format!("{TURNS}{{\"session_id\": 7, \"delay\": 2, \"input_length\": 513, \"hash_ids\": [1]}}"), 5, "2 blocks of 512"),
        (format!("{TURNS}{{\"session_id\": 7, \"delay\": 2, \"input_length\": 3, \"hash_ids\": [1]}}"), 5, "or none has"),
        (format!("{TURNS}{{\"messages\": []}}"), 5, "missing field `session_id`"),
        (CHATS.replace("\"parent_chat_id\": 6", "\"parent_chat_id\": 16"), 5, "`parent_chat_id` is 16, and no row before"),
        (CHATS.replace("\"chat_id\": 6", "\"chat_id\": 5"), 2, "a row before has the same"),
        (CHATS.replace("\"timestamp\": 3,", "\"timestamp\": 1,"), 4, "sort the file by time"),
        ("{\"messages\": [{\"role\": \"assistant\", \"content\": \"a\"}]}".to_owned(), 1, "message 0 is the assistant's out of turn"),
        ("{\"messages\": [{\"role\": \"user\", \"content\": \"a\"}, {\"role\": \"user\", \"content\": \"a\"}]}".to_owned(), 1, "message 1 is the user's out of turn"),
        ("{\"messages\": [{\"role\": \"system\", \"content\": \"a\"}]}".to_owned(), 1, "no question"),
        ("[{\"conversations\": [{\"from\": \"human\", \"value\": \"a\"}]},\n{\"conversations\": [{\"from\": \"tool\", \"value\": \"a\"}]}]".to_owned(), 2, "`from` of message 0 is `tool`"),
        ("{\"prompt\": \"a\"}\n{\"prompt\": \" \"}".to_owned(), 2, "the prompt is empty"),
        ("{\"prompt\": \"a\"}\n{\"prompt\": \"a\", \"text\": \"b\"}".to_owned(), 2, "a prompt is a text, as `prompt` or as `text`"),
        ("{\"prompt\": \"a\", \"output_tokens\": 0}".to_owned(), 1, "`output_tokens` is 0: it is between 1 and"),
        ("nonsense".to_owned(), 1, "expected"),
    ] {
        let message = fault(&text);
        assert!(message.contains(&format!(":{line}`: ")) && message.contains(said), "{text}: {message}");
    }
    assert!(fault("").contains("holds nothing to send"));
    let few = read_with(TURNS, SessionReadOptions { turns: 3, ..WHOLE }).unwrap_err();
    assert!(few.contains(":4`: these are more than the 3 turns"), "{few}");
    let told = SessionReadOptions { unit: Some(TimeUnit::S), ..WHOLE };
    assert!(
        read_with("{\"messages\": [{\"role\": \"user\", \"content\": \"a\"}]}", told)
            .unwrap_err()
            .contains("leave `time_unit = \"s\"` out")
    );
}

#[test]
fn times_that_look_like_another_unit_ask_for_it() {
    let row = |number: u32| format!("{{\"session_id\": {number}, \"timestamp\": {}.5, \"input_length\": 3}}\n", number * 2);
    let rows: String = (0..20).map(row).collect();
    assert!(fault(&rows).contains("write `time_unit = \"s\"`"), "{}", fault(&rows));
    assert!(read_with(&rows, SessionReadOptions { unit: Some(TimeUnit::S), ..WHOLE }).is_ok());
}

#[test]
fn what_is_kept_is_as_small_as_the_documents_say_and_a_changed_file_is_told() {
    assert!(size_of::<(u32, StoredTurn)>() <= 72 && size_of::<StoredTurn>() <= 64 && size_of::<StoredSession>() <= 24);
    let (recording, file) = read(CHATS);
    fs_err::write(file.path(), CHATS.replace("[1, 2, 4]", "[1, 2]   ")).unwrap();
    assert!(recording.ask(0, 3).unwrap_err().to_string().contains("has changed since it was read"));
}
