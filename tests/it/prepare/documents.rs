//! Documents from a folder: exact counts, what is left out, and what is known again.

use std::path::Path;

use bench::workloads::prepare::{PrepareDocumentsJob, PrepareDocumentsOutcome, PrepareDocumentsSources, PrepareError, find, prepare};
use bench::workloads::tokens::{LocalTokenizer, TokenCounter};
use tempfile::TempDir;

use super::{WORDS, book, files, job, pieces, prose};

struct Place {
    folder: TempDir,
}

impl Place {
    fn new(texts: &[(&str, &[u8])]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        pieces(folder.path(), &WORDS);
        let place = Self { folder };
        std::fs::create_dir(place.path("in")).unwrap();
        for (name, bytes) in texts {
            place.put(name, bytes);
        }
        place
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    fn put(&self, name: &str, bytes: &[u8]) {
        let path = self.path("in").join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    async fn prepare(&self, change: impl FnOnce(&mut PrepareDocumentsJob)) -> Result<PrepareDocumentsOutcome, PrepareError> {
        let (mut job, counter) = job(&self.path("data"), &self.path("tokenizer.json"), "100,500,2k");
        change(&mut job);
        let (found, _) = find(&self.path("in"), &job.output).unwrap();
        prepare(&job, &counter, PrepareDocumentsSources::Folder(found), &mut |_| {}).await
    }

    async fn made(&self) -> PrepareDocumentsOutcome {
        self.prepare(|_| {}).await.unwrap()
    }
}

/// The tokens of a file, asked of the tokenizers crate itself.
fn tokens_of(file: &Path, tokenizer: &Path) -> usize {
    let tokenizer = tokenizers::Tokenizer::from_file(tokenizer).unwrap();
    tokenizer.encode(std::fs::read_to_string(file).unwrap(), false).unwrap().len()
}

#[tokio::test]
async fn every_document_has_exactly_the_tokens_of_its_bucket_when_it_is_encoded_again() {
    let texts: Vec<(String, String)> = (0..12).map(|seed| (format!("{seed:02}.txt"), prose(seed, 6 + 4 * seed))).collect();
    let place = Place::new(&texts.iter().map(|(name, text)| (name.as_str(), text.as_bytes())).collect::<Vec<_>>());
    let outcome = place.prepare(|job| job.recipe.all_buckets = true).await.unwrap();
    let mut seen = 0;
    for record in &outcome.manifest.documents {
        let source = texts.iter().find(|(name, _)| *name == record.source.name()).unwrap();
        for cut in &record.cuts {
            let file = place.path("data").join(&cut.path);
            assert_eq!(tokens_of(&file, &place.path("tokenizer.json")) as u64, cut.tokens, "{}", cut.path);
            let text = std::fs::read_to_string(&file).unwrap();
            assert!(source.1.starts_with(&text));
            assert_eq!(cut.blake3, blake3::hash(text.as_bytes()).to_hex().to_string());
            seen += 1;
        }
    }
    assert!(seen >= 20, "{seen} cuts");
    assert_eq!(outcome.buckets.values().sum::<u64>(), seen);
    assert!(outcome.buckets.values().all(|documents| *documents > 0), "{:?}", outcome.buckets);
    assert_eq!(outcome.left_out.len(), 0, "{:?}", outcome.left_out);
}

#[tokio::test]
async fn a_document_goes_into_the_largest_bucket_strictly_below_it() {
    let counter = TokenCounter::Tokenizer(LocalTokenizer::load(&pieces(tempfile::tempdir().unwrap().path(), &WORDS)).unwrap());
    // "a" and " a" are a token each under this tokenizer.
    let of = |tokens: usize| format!("a{}", " a".repeat(tokens - 1));
    assert_eq!(counter.count(&of(500)).await.unwrap(), 500);
    let place = Place::new(&[("exact.txt", of(500).as_bytes()), ("more.txt", of(501).as_bytes()), ("short.txt", of(100).as_bytes())]);
    let outcome = place.made().await;
    let paths: Vec<&str> = outcome.manifest.documents.iter().flat_map(|record| &record.cuts).map(|cut| cut.path.as_str()).collect();
    assert_eq!(paths, ["100/exact.txt", "500/more.txt"]);
    assert_eq!(outcome.left_out["too_short"], ["short.txt"]);
}

#[tokio::test]
async fn a_servers_count_cuts_as_exactly() {
    let spec =
        bench::vocabulary::spec::engine::EngineSpec { preset: bench::vocabulary::spec::engine::EnginePreset::Tiny, ..Default::default() };
    let parameters = bench::simulation::engine::EngineParameters::resolve(&spec, 0).unwrap();
    let options = bench::simulation::serve::ServeOptions { host: [127, 0, 0, 1].into(), port: 0, model: "tiny".into(), parameters };
    let serving = bench::simulation::serve::bind(options).await.unwrap();
    let target = serde_json::from_value(serde_json::json!({"url": serving.url(), "model": "tiny"})).unwrap();
    let server = bench::workloads::tokens::choose(&target, false).await.unwrap();
    assert_eq!(server.rule(), bench::records::record::TokenRule::Server);
    let place = Place::new(&[("a.txt", prose(1, 60).as_bytes())]);
    let (job, _) = job(&place.path("data"), &place.path("tokenizer.json"), "500");
    let (found, _) = find(&place.path("in"), &job.output).unwrap();
    let outcome = prepare(&job, &server, PrepareDocumentsSources::Folder(found), &mut |_| {}).await.unwrap();
    assert_eq!(outcome.buckets[&500], 1);
    let text = std::fs::read_to_string(place.path("data/500/a.txt")).unwrap();
    assert_eq!(TokenCounter::Simulated.count(&text).await.unwrap(), 500);
}

#[tokio::test]
async fn what_cannot_be_a_document_is_left_out_by_reason() {
    let (own, theirs) = (prose(1, 10), book("Theirs", &prose(2, 10)));
    let latin: Vec<u8> = prose(3, 10).chars().map(|sign| u8::try_from(u32::from(sign)).unwrap()).collect();
    let place = Place::new(&[
        ("a.txt", own.as_bytes()),
        ("again/a.txt", prose(6, 10).as_bytes()),
        ("again-a.txt", prose(4, 10).as_bytes()),
        ("binary.txt", b"a\0b"),
        ("copy.txt", own.as_bytes()),
        ("empty.txt", b" \n"),
        ("huge.txt", &vec![b'x'; (1 << 20) + 1]),
        ("latin.txt", &latin),
        ("theirs.txt", theirs.as_bytes()),
    ]);
    let outcome = place.made().await;
    let left_out: Vec<(&str, &[String])> = outcome.left_out.iter().map(|(reason, names)| (*reason, names.as_slice())).collect();
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    assert_eq!(
        left_out,
        [("duplicate", &*names(&["copy.txt"])), ("not_text", &*names(&["binary.txt", "empty.txt"])), ("too_large", &*names(&["huge.txt"]))]
    );
    let json = serde_json::to_value(&outcome.manifest).unwrap();
    let of = |path: &str| json["documents"].as_array().unwrap().iter().find(|record| record["source"]["path"] == path).unwrap().clone();
    assert_eq!(of("latin.txt")["encoding"], "iso-8859-1");
    assert_eq!(of("a.txt")["encoding"], "utf-8");
    assert_eq!((of("theirs.txt")["title"].clone(), of("theirs.txt")["marks"].clone()), ("Theirs".into(), "both".into()));
    assert_eq!(of("copy.txt")["left_out"][0]["of"], "100/a.txt");
    assert_eq!(of("again-a.txt")["cuts"][0]["path"], "100/again-a.txt");
    let told_apart = format!("100/again-a-{}.txt", &blake3::hash(b"again/a.txt").to_hex()[..8]);
    assert_eq!(of("again/a.txt")["cuts"][0]["path"], *told_apart);
    let latin = std::fs::read_to_string(place.path("data").join(of("latin.txt")["cuts"][0]["path"].as_str().unwrap())).unwrap();
    assert!(latin.contains("Père"), "{latin}");
}

#[tokio::test]
async fn a_second_run_stands_and_only_what_has_changed_is_made_again() {
    let place = Place::new(&[("a.txt", prose(1, 20).as_bytes()), ("b.txt", prose(2, 20).as_bytes()), ("c.txt", prose(3, 20).as_bytes())]);
    place.made().await;
    let before = files(&place.path("data"));
    let outcome = place.made().await;
    assert_eq!((outcome.made, outcome.kept), (0, 3));
    assert_eq!(files(&place.path("data")), before);

    std::fs::remove_file(place.path("data/500/a.txt")).unwrap();
    place.put("b.txt", prose(5, 20).as_bytes());
    let outcome = place.made().await;
    assert_eq!((outcome.made, outcome.kept), (2, 1));
    let after = files(&place.path("data"));
    assert_eq!(after["500/a.txt"], before["500/a.txt"]);
    assert_ne!(after["500/b.txt"], before["500/b.txt"]);
}

#[tokio::test]
async fn another_tokenizer_or_other_buckets_make_everything_anew() {
    let place = Place::new(&[("a.txt", prose(1, 20).as_bytes()), ("b.txt", prose(2, 20).as_bytes())]);
    place.made().await;
    assert_eq!(files(&place.path("data")).into_keys().collect::<Vec<_>>(), ["500/a.txt", "500/b.txt", "manifest.json"]);
    pieces(place.folder.path(), &WORDS[..3]);
    let mut said = Vec::new();
    let (job, counter) = job(&place.path("data"), &place.path("tokenizer.json"), "100,500,2k");
    let (found, _) = find(&place.path("in"), &job.output).unwrap();
    let mut hear = |news: bench::workloads::prepare::PrepareEvent<'_>| {
        if let bench::workloads::prepare::PrepareEvent::RecipeChanged { what } = news {
            said.push(what.to_owned());
        }
    };
    let outcome = prepare(&job, &counter, PrepareDocumentsSources::Folder(found), &mut hear).await.unwrap();
    assert_eq!(said, ["the tokenizer"]);
    assert_eq!((outcome.made, outcome.strays.len()), (2, 0));
    for record in &outcome.manifest.documents {
        let cut = &record.cuts[0];
        assert_eq!(tokens_of(&place.path("data").join(&cut.path), &place.path("tokenizer.json")) as u64, cut.tokens);
    }
    place.prepare(|job| job.recipe.buckets = vec![300]).await.unwrap();
    assert_eq!(files(&place.path("data")).into_keys().collect::<Vec<_>>(), ["300/a.txt", "300/b.txt", "manifest.json"]);
}

#[tokio::test]
async fn a_limit_is_of_each_bucket_and_lasts() {
    let texts: Vec<(String, String)> = (0..4).map(|seed| (format!("{seed}.txt"), prose(seed, 20))).collect();
    let place = Place::new(&texts.iter().map(|(name, text)| (name.as_str(), text.as_bytes())).collect::<Vec<_>>());
    for (made, kept) in [(4, 0), (0, 4)] {
        let outcome = place.prepare(|job| job.recipe.limit = Some(2)).await.unwrap();
        assert_eq!((outcome.made, outcome.kept, outcome.buckets[&500]), (made, kept, 2));
        assert_eq!(outcome.left_out["bucket_full"], ["2.txt", "3.txt"]);
    }
}

#[tokio::test]
async fn what_others_put_into_the_folders_is_neither_lost_nor_unnoticed() {
    let place = Place::new(&[("a.txt", prose(1, 20).as_bytes())]);
    std::fs::create_dir_all(place.path("data/500")).unwrap();
    std::fs::write(place.path("data/500/mine.txt"), "mine").unwrap();
    assert_eq!(place.made().await.strays, ["500/mine.txt"]);
    std::fs::write(place.path("data/500/b.txt"), "mine too").unwrap();
    place.put("b.txt", prose(2, 20).as_bytes());
    let error = place.prepare(|_| {}).await.unwrap_err();
    assert!(matches!(&error, PrepareError::InTheWay { path } if path.ends_with("500/b.txt")), "{error}");
    assert_eq!(std::fs::read_to_string(place.path("data/500/b.txt")).unwrap(), "mine too");
}

#[tokio::test]
async fn a_manifest_that_is_none_or_leads_outside_is_refused() {
    let place = Place::new(&[("a.txt", prose(1, 20).as_bytes())]);
    place.made().await;
    let path = place.path("data/manifest.json");
    let manifest = std::fs::read_to_string(&path).unwrap();
    for (text, said) in [
        ("{}".to_owned(), "no manifest"),
        (manifest.replace("\"format\": 1", "\"format\": 2"), "format 2"),
        (manifest.replace("500/a.txt", "../in/a.txt"), "../in/a.txt"),
    ] {
        std::fs::write(&path, text).unwrap();
        let error = place.prepare(|job| job.recipe.buckets = vec![300]).await.unwrap_err().to_string();
        assert!(error.contains(said), "{error}");
    }
    assert!(place.path("in/a.txt").exists());
}
