//! In which order documents are written, so that no resource refers to a resource that Envoy does not have.
//!
//! | step | document | why then |
//! |---|---|---|
//! | 1 | the clusters, new and old | filters name them: without a cluster a request gets a 503 |
//! | 2 to 5 | routes, then filters, those after the hop first | the filter before the hop sends requests over the hop |
//! | 6 | the listeners | they refer to routes and filters |
//! | 7 | the certificate | Envoy reads it for a listener; where it is new, it is there before the listener, and is read here |
//! | 8 | the clusters without those that are gone | no filter names them any more |

use crate::native::render::live::{Document, Kind};

/// The documents to write, one after the other, from those that serve to those that are wanted, which are in the order of
/// [`Kind::ALL`].
pub(super) fn steps(serving: &[Document], wanted: &[Document]) -> Vec<Document> {
    let mut steps = Vec::new();
    let mut last = None;
    for new in wanted {
        let old = serving.iter().find(|own| own.kind() == new.kind());
        let next = match (new.kind(), old) {
            (Kind::Clusters, Some(old)) => new.and_those_of(old),
            _ => new.clone(),
        };
        if next != *new {
            last = Some(new.clone());
        }
        if old != Some(&next) {
            steps.push(next);
        }
    }
    steps.extend(last);
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    fn documents(clusters: &[&str], filter: &str) -> Vec<Document> {
        let document = |kind| {
            let names: &[&str] = if kind == Kind::Clusters { clusters } else { &["x"] };
            let yaml = if kind == Kind::ClientFilter { filter } else { "" };
            let resources = names.iter().map(|name| ((*name).to_owned(), yaml.to_owned()));
            Document::of(kind, resources)
        };
        Kind::ALL.into_iter().map(document).collect()
    }

    fn written(serving: &[Document], wanted: &[Document]) -> Vec<(Kind, String)> {
        let text = |document: Document| (document.kind(), document.names().join("+"));
        steps(serving, wanted).into_iter().map(text).collect()
    }

    #[test]
    fn nothing_is_written_that_serves() {
        let same = documents(&["a"], "f");
        assert_eq!(written(&same, &same), []);
    }

    #[test]
    fn a_cluster_comes_before_its_filter_and_goes_after_its_filter() {
        let (one, two) = (documents(&["a"], "1"), documents(&["a", "b"], "2"));
        let filter = || (Kind::ClientFilter, "x".to_owned());
        let clusters = |names: &str| (Kind::Clusters, names.to_owned());
        assert_eq!(written(&one, &two), [clusters("a+b"), filter()]);
        assert_eq!(written(&two, &one), [filter(), clusters("a")]);
        let other = documents(&["c"], "3");
        assert_eq!(written(&two, &other), [clusters("a+b+c"), filter(), clusters("c")]);
    }

    /// Every pair of sets of three clusters: after every step Envoy has all clusters of the filter that serves.
    #[test]
    fn a_filter_never_names_a_cluster_that_is_not_there() {
        let sets = || {
            (1_usize..8).map(|bits| {
                ["a", "b", "c"]
                    .into_iter()
                    .enumerate()
                    .filter(|(at, _)| bits >> at & 1 == 1)
                    .map(|(_, name)| name)
                    .collect::<Vec<_>>()
            })
        };
        for (before, after) in
            sets().flat_map(|before| sets().map(move |after| (before.clone(), after)))
        {
            let (mut filter, mut clusters) = (before.clone(), before.join("+"));
            let (serving, wanted) =
                (documents(&before, &before.join("+")), documents(&after, &after.join("+")));
            for document in steps(&serving, &wanted) {
                match document.kind() {
                    Kind::Clusters => clusters = document.names().join("+"),
                    Kind::ClientFilter => filter = after.clone(),
                    kind => panic!("{kind:?} has not changed"),
                }
                let there: Vec<_> = clusters.split('+').collect();
                assert!(filter.iter().all(|name| there.contains(name)), "{before:?} {after:?}");
            }
            assert_eq!((filter, clusters), (after.clone(), after.join("+")));
        }
    }
}
