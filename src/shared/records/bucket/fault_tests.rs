//! A sweep that is sent to a failing bucket, by processes that are killed, and taken up on other machines: nothing that is sealed is lost, what is in
//! the bucket under a run's record is the whole run, and what comes out is what went in. Each case has its seed.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use fs_err as fs;
use object_store::memory::InMemory;
use object_store::{ObjectStore, ObjectStoreExt};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;

use super::address::BucketAddress;
use super::bucket_folder::BucketFolder;
use super::download::{FetchedFiles, copy_sweeps};
use super::error::BucketError;
use super::faulty_store::FaultyStore;
use super::object_cache::ObjectCache;
use super::take_sealed::take_sealed;
use super::upload::{SweepUpload, parsed_record};
use crate::records::record::{Manifest, RunFailure, RunFailureCause, RunOutcome, RunRecord};
use crate::records::store::fixture::{header, manifest, rich_record, run_record, sample};
use crate::records::store::{SweepWriter, read_sweep};

const SEEDS: u64 = 300;
/// Of how many requests one fails.
const ONE_OF: u32 = 4;
const RUNS: [&str; 3] = ["a", "b", "c"];
/// How long a request goes unanswered before whoever asked is taken for killed. Every answer of memory comes at once.
const SILENCE: Duration = Duration::from_millis(1);

fn address() -> BucketAddress {
    "s3://bucket/nightly/one".parse().unwrap()
}

fn save(dir: &Path, plan: &Manifest, runs: &[&str]) {
    let writer = SweepWriter::open(dir, plan, "name = \"lmcache\"\n").unwrap();
    for id in runs {
        let mut run = writer.begin(id).unwrap();
        for number in 0..20 {
            run.append(&rich_record(number)).unwrap();
        }
        run.watched(&[sample(1), sample(2)]).unwrap();
        run.seal(&run_record(header(id), 20)).unwrap();
    }
}

/// The files of all sealed runs, and the manifest.
fn saved(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::from([("manifest.json".to_owned(), fs::read(dir.join("manifest.json")).unwrap())]);
    for id in RUNS {
        for name in ["run.json", "requests.parquet", "server_metrics.parquet"] {
            let path = dir.join("runs").join(id).join(name);
            if path.exists() {
                found.insert(format!("{id}/{name}"), fs::read(path).unwrap());
            }
        }
    }
    found
}

/// Runs it to its end, or until nothing comes any more; `None` where it was killed.
async fn until_killed<T>(work: impl Future<Output = Result<T, BucketError>>) -> Option<Result<T, BucketError>> {
    tokio::time::timeout(SILENCE, work).await.ok()
}

/// Where a run's record is in the bucket, its tables are, as they were sealed.
async fn is_whole_where_it_is_sealed(bucket: &InMemory) {
    for id in RUNS {
        let path = |name: &str| object_store::path::Path::from(format!("nightly/one/runs/{id}/{name}"));
        let Ok(record) = bucket.get(&path("run.json")).await else { continue };
        let record = parsed_record(&record.bytes().await.unwrap(), id).unwrap();
        assert_eq!(record.tables.len(), 2);
        for (name, hash) in &record.tables {
            let table = bucket.get(&path(name)).await.unwrap().bytes().await.unwrap();
            assert_eq!(blake3::hash(&table).to_hex().to_string(), *hash);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn whatever_fails_nothing_sealed_is_lost_and_what_comes_out_is_what_went_in() {
    let here = tempfile::tempdir().unwrap();
    save(here.path(), &manifest(&RUNS), &RUNS);
    let expected = saved(here.path());
    let (mut failed, mut killed, mut moved) = (0, 0, 0);
    for seed in 0..SEEDS {
        let bucket = Arc::new(InMemory::new());
        let folder = |attempt: u64| {
            let store = FaultyStore::new(&bucket, seed * 10_000 + attempt, ONE_OF);
            BucketFolder::over(Arc::new(store), &address())
        };
        let mut random = Pcg64::seed_from_u64(seed);
        let mut attempts = 0..;
        loop {
            let attempt = attempts.next().unwrap();
            let sent = until_killed(SweepUpload::new(&folder(attempt), here.path()).all()).await;
            is_whole_where_it_is_sealed(&bucket).await;
            match sent {
                Some(Ok(())) => break,
                Some(Err(BucketError::Request { .. })) => failed += 1,
                Some(Err(error)) => panic!("seed {seed}: {error}"),
                None => killed += 1,
            }
            // Another machine takes what is there, and sends the same; nothing of it may be taken for another run.
            if random.random_range(0..20) == 0 {
                let there = tempfile::tempdir().unwrap();
                let cache = ObjectCache::at(there.path().join("objects")).unwrap();
                let plain = BucketFolder::over(Arc::clone(&bucket) as Arc<dyn ObjectStore>, &address());
                let taken = take_sealed(&plain, &there.path().join("sweep"), &cache).await.unwrap();
                for (name, bytes) in saved_if_any(&there.path().join("sweep")) {
                    assert!(expected[&name] == bytes, "seed {seed}: `{name}`");
                }
                moved += taken;
            }
        }
        let copy = tempfile::tempdir().unwrap();
        let cache = ObjectCache::at(copy.path().join("objects")).unwrap();
        let target = loop {
            let attempt = attempts.next().unwrap();
            match until_killed(copy_sweeps(&folder(attempt), copy.path(), &cache, FetchedFiles::ForReading)).await {
                Some(Ok(target)) => break target,
                Some(Err(BucketError::Request { .. })) => failed += 1,
                Some(Err(error)) => panic!("seed {seed}: {error}"),
                None => killed += 1,
            }
        };
        assert!(saved(&target) == expected, "seed {seed}");
    }
    println!("{SEEDS} seeds: {failed} attempts failed, {killed} were killed, {moved} runs taken by other machines");
    assert!(failed > 1_250 && killed > 1_250 && moved > 100, "{failed} {killed} {moved}");
}

fn saved_if_any(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    if dir.join("manifest.json").exists() { saved(dir) } else { BTreeMap::new() }
}

fn plain(bucket: &Arc<InMemory>) -> BucketFolder {
    BucketFolder::over(Arc::clone(bucket) as Arc<dyn ObjectStore>, &address())
}

#[tokio::test]
async fn a_different_sealed_run_is_not_overwritten_and_both_are_named() {
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    save(one.path(), &manifest(&RUNS), &["a"]);
    let writer = SweepWriter::open(other.path(), &manifest(&RUNS), "").unwrap();
    writer.begin("a").unwrap().seal(&run_record(header("a"), 0)).unwrap();
    let bucket = Arc::new(InMemory::new());
    SweepUpload::new(&plain(&bucket), one.path()).all().await.unwrap();
    let error = SweepUpload::new(&plain(&bucket), other.path()).all().await.unwrap_err().to_string();
    assert!(error.contains("`s3://bucket/nightly/one/runs/a/run.json`"), "{error}");
    assert!(error.contains(other.path().join("runs/a").to_str().unwrap()), "{error}");
    is_whole_where_it_is_sealed(&bucket).await;
}

#[tokio::test]
async fn another_scenario_is_refused_and_both_are_named() {
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    save(one.path(), &manifest(&RUNS), &["a"]);
    let plan = Manifest { name: "nightly".into(), scenario_hash: "fedcba9876543210".into(), ..manifest(&RUNS) };
    save(other.path(), &plan, &["a"]);
    let bucket = Arc::new(InMemory::new());
    SweepUpload::new(&plain(&bucket), one.path()).all().await.unwrap();
    let error = SweepUpload::new(&plain(&bucket), other.path()).all().await.unwrap_err().to_string();
    assert!(error.contains("`lmcache` (scenario 0123456789ab") && error.contains("`nightly` (scenario fedcba987654"), "{error}");
    let cache = ObjectCache::at(other.path().join("objects")).unwrap();
    assert!(matches!(take_sealed(&plain(&bucket), other.path(), &cache).await, Err(BucketError::OtherSweep(_))));
}

#[tokio::test]
async fn a_failed_run_is_replaced_by_the_one_that_was_tried_again() {
    let dir = tempfile::tempdir().unwrap();
    let writer = SweepWriter::open(dir.path(), &manifest(&["a"]), "").unwrap();
    let failure = RunOutcome::Failed(RunFailure::new(RunFailureCause::Cell, "no server".into()));
    writer.begin("a").unwrap().seal(&RunRecord { outcome: failure, ..run_record(header("a"), 0) }).unwrap();
    drop(writer);
    let bucket = Arc::new(InMemory::new());
    SweepUpload::new(&plain(&bucket), dir.path()).all().await.unwrap();
    let there = tempfile::tempdir().unwrap();
    let cache = ObjectCache::at(there.path().join("objects")).unwrap();
    assert_eq!(take_sealed(&plain(&bucket), &there.path().join("sweep"), &cache).await.unwrap(), 0, "it is to be tried again");
    save(dir.path(), &manifest(&["a"]), &["a"]);
    SweepUpload::new(&plain(&bucket), dir.path()).all().await.unwrap();
    is_whole_where_it_is_sealed(&bucket).await;
    assert_eq!(take_sealed(&plain(&bucket), &there.path().join("sweep"), &cache).await.unwrap(), 1);
}

#[tokio::test]
async fn what_was_read_before_is_not_asked_for_again_and_what_vanished_is_gone() {
    let dir = tempfile::tempdir().unwrap();
    save(dir.path(), &manifest(&RUNS), &["a", "b"]);
    let bucket = Arc::new(InMemory::new());
    SweepUpload::new(&plain(&bucket), dir.path()).all().await.unwrap();
    let copy = tempfile::tempdir().unwrap();
    let cache = ObjectCache::at(copy.path().join("objects")).unwrap();
    let target = copy_sweeps(&plain(&bucket), copy.path(), &cache, FetchedFiles::ForReading).await.unwrap();
    assert_eq!(target.file_name().unwrap(), "one");
    assert_eq!(read_sweep(&target).unwrap().runs.len(), 2);
    let record = object_store::path::Path::from("nightly/one/runs/b/run.json");
    bucket.delete(&record).await.unwrap();
    let stranger = object_store::path::Path::from("nightly/one/runs/z/notes.txt");
    bucket.put(&stranger, "x".into()).await.unwrap();
    let target = copy_sweeps(&plain(&bucket), copy.path(), &cache, FetchedFiles::ForReading).await.unwrap();
    let sweep = read_sweep(&target).unwrap();
    assert_eq!(sweep.missing.len(), 2);
    assert!(sweep.notes.iter().any(|note| note.contains("`runs/z` is not a run of this sweep")), "{:?}", sweep.notes);
}

#[tokio::test]
async fn a_table_that_is_not_what_was_sealed_is_refused_by_name_there_and_here() {
    let dir = tempfile::tempdir().unwrap();
    save(dir.path(), &manifest(&RUNS), &["a"]);
    let bucket = Arc::new(InMemory::new());
    SweepUpload::new(&plain(&bucket), dir.path()).all().await.unwrap();
    let table = object_store::path::Path::from("nightly/one/runs/a/requests.parquet");
    bucket.put(&table, "PAR1".into()).await.unwrap();
    let copy = tempfile::tempdir().unwrap();
    let cache = ObjectCache::at(copy.path().join("objects")).unwrap();
    let error = copy_sweeps(&plain(&bucket), copy.path(), &cache, FetchedFiles::ForReading).await.unwrap_err().to_string();
    assert!(error.contains("`s3://bucket/nightly/one/runs/a/requests.parquet` is not what was sealed"), "{error}");
    let path = dir.path().join("runs/a/requests.parquet");
    fs::write(&path, "PAR1").unwrap();
    let other = BucketFolder::over(Arc::new(InMemory::new()), &address());
    let error = SweepUpload::new(&other, dir.path()).all().await.unwrap_err().to_string();
    assert!(error.contains(path.to_str().unwrap()) && error.contains("not what was sealed"), "{error}");
}

#[tokio::test]
async fn a_place_without_a_sweep_is_named() {
    let copy = tempfile::tempdir().unwrap();
    let cache = ObjectCache::at(copy.path().join("objects")).unwrap();
    let error =
        copy_sweeps(&plain(&Arc::new(InMemory::new())), copy.path(), &cache, FetchedFiles::ForCopying).await.unwrap_err().to_string();
    assert!(error.contains("`s3://bucket/nightly/one` holds no sweep"), "{error}");
}
