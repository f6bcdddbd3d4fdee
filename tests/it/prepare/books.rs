//! Books of Project Gutenberg from a mirror: fetched once, whole, wherever the mirror has them.

use bench::workloads::prepare::{DocumentsManifest, PrepareDocumentsOutcome, PrepareDocumentsSources, TextSource, prepare};
use tempfile::TempDir;

use super::{WORDS, book, cut_off, files, job, library, pieces, prose, reply};
use crate::faults::socket::{Act, Socket};

/// A place with a tokenizer, and a mirror that gives these answers.
struct Place {
    folder: TempDir,
    mirror: Socket,
}

impl Place {
    async fn new(answers: impl IntoIterator<Item = Vec<Act>>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        pieces(folder.path(), &WORDS);
        Self { folder, mirror: Socket::serve(answers).await }
    }

    async fn prepare(&self, ids: &str) -> PrepareDocumentsOutcome {
        let output = self.folder.path().join("data");
        let (job, counter) = job(&output, &self.folder.path().join("tokenizer.json"), "100,500");
        let sources = PrepareDocumentsSources::Gutenberg(Box::new(library(&self.mirror.url(), &output)), ids.parse().unwrap());
        prepare(&job, &counter, sources, &mut |_| {}).await.unwrap()
    }

    fn asked(&mut self) -> Vec<String> {
        std::iter::from_fn(|| self.mirror.received()).map(|request| request.head.split(' ').nth(1).unwrap().to_owned()).collect()
    }

    fn manifest(&self) -> DocumentsManifest {
        serde_json::from_slice(&std::fs::read(self.folder.path().join("data/manifest.json")).unwrap()).unwrap()
    }
}

fn sent(title: &str, text: &str) -> Vec<Act> {
    reply("200 OK", "content-type: text/plain; charset=utf-8\r\n", &book(title, text))
}

fn not_there() -> Vec<Act> {
    reply("404 Not Found", "", "")
}

#[tokio::test]
async fn books_are_fetched_once_and_a_second_run_does_nothing() {
    let mut place = Place::new([sent("One", &prose(1, 40)), not_there(), not_there(), not_there(), sent("Three", &prose(3, 5))]).await;
    let outcome = place.prepare("1..=3").await;
    assert_eq!((outcome.made, outcome.kept, outcome.failed.len()), (2, 0, 0));
    assert_eq!(outcome.buckets.into_iter().collect::<Vec<_>>(), [(100, 1), (500, 1)]);
    assert_eq!(outcome.left_out["missing"], ["pg2"]);
    let asked = place.asked();
    assert_eq!(asked[0], "/cache/epub/1/pg1.txt");
    assert_eq!(asked[1..4], ["/cache/epub/2/pg2.txt", "/files/2/2-0.txt", "/0/2/2-0.txt"]);
    let manifest = place.manifest();
    let first = &manifest.documents[0];
    assert_eq!(first.title.as_deref(), Some("One"));
    assert_eq!(first.cuts[0].path, "500/pg1.txt");
    let TextSource::Gutenberg { id: 1, url: Some(url) } = &first.source else { panic!("{:?}", first.source) };
    assert!(url.ends_with("/cache/epub/1/pg1.txt"));
    let text = std::fs::read_to_string(place.folder.path().join("data/500/pg1.txt")).unwrap();
    assert!(text.starts_with("The captain naïve") && !text.contains("GUTENBERG") && !text.contains('\r'), "{text}");

    let before = files(place.folder.path());
    let outcome = place.prepare("1..=3").await;
    assert_eq!((outcome.made, outcome.kept), (0, 2));
    assert_eq!(outcome.left_out["missing"], ["pg2"]);
    assert_eq!(place.asked(), [""; 0], "nothing is fetched that is there, nor asked for what is known to be missing");
    assert_eq!(files(place.folder.path()), before);
}

#[tokio::test]
async fn a_page_instead_of_a_book_is_passed_over_for_the_next_place() {
    let page = || reply("200 OK", "content-type: text/html\r\n", "<!DOCTYPE html><p>Too many requests</p>");
    let mut place = Place::new([page(), sent("One", &prose(1, 40)), page(), page(), page()]).await;
    let outcome = place.prepare("1,2").await;
    assert_eq!(outcome.buckets[&500], 1);
    assert_eq!(outcome.failed.len(), 1);
    assert!(outcome.failed[0].1.contains("HTML"), "{:?}", outcome.failed);
    assert_eq!(place.asked().len(), 5);
    assert_eq!(place.manifest().documents.len(), 1, "what failed is no part of the manifest");
}

#[tokio::test]
async fn a_book_cut_by_a_wrong_length_is_not_taken_for_whole() {
    let whole = book("One", &prose(1, 40));
    // The length says less than there is: only the missing end mark tells.
    let short = vec![crate::faults::socket::write(format!("HTTP/1.1 200 OK\r\ncontent-length: 1500\r\n\r\n{whole}")), Act::Close];
    let place = Place::new([short, not_there(), not_there()]).await;
    let outcome = place.prepare("1").await;
    assert_eq!((outcome.made, outcome.failed.len()), (0, 1));
    assert!(outcome.failed[0].1.contains("not taken for whole"), "{:?}", outcome.failed);
    let left: Vec<String> = files(place.folder.path()).into_keys().collect();
    assert_eq!(left, ["data/manifest.json", "tokenizer.json"]);
}

#[tokio::test]
async fn a_mirror_that_serves_nothing_is_left_alone_and_gone_on_with_later() {
    let broken = || cut_off("", 100, "x");
    let answers = std::iter::once(sent("One", &prose(1, 40))).chain((0..12).map(|_| broken()));
    let mut place = Place::new(answers).await;
    let outcome = place.prepare("1..=9").await;
    assert_eq!((outcome.made, outcome.failed.len(), outcome.untried), (1, 3, 5));
    assert_eq!(place.asked().len(), 13);

    let output = place.folder.path().join("data");
    place.mirror = Socket::serve((2..=9).map(|id| sent("Other", &prose(id, 40)))).await;
    let outcome = place.prepare("1..=9").await;
    assert_eq!((outcome.made, outcome.kept, outcome.failed.len(), outcome.untried), (8, 1, 0, 0));
    assert_eq!(place.asked().len(), 8);
    assert_eq!(std::fs::read_dir(output.join("500")).unwrap().count(), 9);
}

#[tokio::test]
async fn the_same_books_give_the_same_bytes_however_often_it_was_interrupted() {
    let answers = || [1, 2, 3].map(|id| sent("Book", &prose(id, 40)));
    let mut place = Place::new(answers()).await;
    place.prepare("1..=3").await;
    let host = place.mirror.url();
    let at_once = files(&place.folder.path().join("data/500"));
    let told =
        |place: &Place, host: &str| std::fs::read_to_string(place.folder.path().join("data/manifest.json")).unwrap().replace(host, "");
    let manifest = told(&place, &host);
    assert_eq!(place.asked().len(), 3);

    let mut place = Place::new(answers()).await;
    place.prepare("1").await;
    place.prepare("2").await;
    // As if it had been killed between a text and the manifest.
    std::fs::remove_file(place.folder.path().join("data/manifest.json")).unwrap();
    let outcome = place.prepare("1..=3").await;
    assert_eq!((outcome.made, outcome.strays.len()), (3, 0));
    assert_eq!(place.asked().len(), 3);
    assert_eq!(files(&place.folder.path().join("data/500")), at_once);
    assert_eq!(told(&place, &place.mirror.url()), manifest);
}
