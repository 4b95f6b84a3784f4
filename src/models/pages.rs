//! The lists of models as clients get them, kept by each worker until a provider has listed its models again.
//!
//! To read and to write a list of thousands of models takes as long as hundreds of chats, and needs no key. So a worker
//! reads the providers' lists once, and writes each document once.

use std::cell::RefCell;
use std::rc::{Rc, Weak};

use super::catalog::{self, Catalog, Entry};
use super::{Listed, Names, Page, discovery};
use crate::gateway::Gateway;
use crate::host::store::Store;

/// How many kinds of [`Page`] there are.
const PAGES: usize = 3;

thread_local! {
    /// For each gateway of this worker, what was asked last.
    static KEPT: RefCell<Vec<Rc<Pages>>> = const { RefCell::new(Vec::new()) };
}

/// The models of a gateway, and the documents that were made of them.
#[derive(Debug)]
pub struct Pages {
    gateway: Weak<Gateway>,
    /// When each provider with discovery has listed its models.
    listed_ms: Vec<u64>,
    discovered: Vec<Vec<Listed>>,
    names: Vec<String>,
    /// How many entries the list has.
    count: usize,
    /// By page, and then the same for clients who have asked LiteLLM alone; `None` until a client has asked for it.
    documents: RefCell<[Option<Rc<str>>; 2 * PAGES]>,
}

impl Pages {
    /// The pages of a gateway as its providers list their models now.
    pub fn of(gateway: &Rc<Gateway>, store: &dyn Store) -> Rc<Self> {
        // A list is stored before its time: so a list that is newer than its time here is read once more.
        let discoveries = gateway.providers().iter().filter_map(|one| one.discovery.as_ref());
        let listed_ms: Vec<_> =
            discoveries.map(|one| discovery::peek(store, one).listed_ms()).collect();
        KEPT.with_borrow_mut(|kept| {
            let is_this = |pages: &Self| std::ptr::eq(pages.gateway.as_ptr(), Rc::as_ptr(gateway));
            let current = kept.iter().find(|one| is_this(one) && one.listed_ms == listed_ms);
            if let Some(pages) = current {
                return Rc::clone(pages);
            }
            kept.retain(|one| one.gateway.strong_count() > 0 && !is_this(one));
            let pages = Rc::new(Self::read(gateway, store, listed_ms));
            kept.push(Rc::clone(&pages));
            pages
        })
    }

    fn read(gateway: &Rc<Gateway>, store: &dyn Store, listed_ms: Vec<u64>) -> Self {
        let providers = gateway.providers().iter();
        let discovered: Vec<_> =
            providers.map(|provider| discovery::listed(store, provider)).collect();
        let all = Catalog::of(gateway, &discovered, Names::All);
        let names = all.entries().iter().map(|entry| entry.name.to_string()).collect();
        let count = Catalog::of(gateway, &discovered, Names::Configured).entries().len();
        Self {
            gateway: Rc::downgrade(gateway),
            listed_ms,
            names,
            count,
            discovered,
            documents: RefCell::default(),
        }
    }

    /// A document, as JSON.
    pub fn document(&self, gateway: &Gateway, page: Page, names: Names) -> Rc<str> {
        let place = match names {
            Names::OfLitellm(_) => (page as usize).saturating_add(PAGES),
            Names::Configured | Names::All => page as usize,
        };
        let mut documents = self.documents.borrow_mut();
        let Some(document) = documents.get_mut(place) else { return Rc::default() };
        let write = || Catalog::of(gateway, &self.discovered, names).document(page).into();
        Rc::clone(document.get_or_insert_with(write))
    }

    /// The document of the models that `allows` accepts by a name. It is written anew for each client.
    pub fn document_of(
        &self,
        gateway: &Gateway,
        page: Page,
        names: Names,
        allows: &dyn Fn(&str) -> bool,
    ) -> Rc<str> {
        Catalog::of(gateway, &self.discovered, names).allowed(allows).document(page).into()
    }

    /// As [`Catalog::find`].
    pub fn find<'s>(&'s self, gateway: &'s Gateway, id: &'s str) -> Option<Entry<'s>> {
        catalog::find(gateway, &self.discovered, id)
    }

    /// As [`Catalog::nearest`].
    pub fn nearest(&self, gateway: &Gateway, asked: &str) -> Option<String> {
        catalog::nearest_of(gateway, self.names.iter().map(String::as_str), asked)
    }

    /// How many models there are.
    pub fn count(&self) -> usize {
        self.count
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::File;
    use crate::host::memory::Memory;
    #[cfg(all(target_family = "wasm", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn gateway() -> Rc<Gateway> {
        let json =
            r#"{"providers":{"p":{"url":"http://a","discover_models":true,"models":["m"]}}}"#;
        let file = File::from_json(json.as_bytes()).unwrap();
        Rc::new(Gateway::compile(&file, &|_| None).unwrap())
    }

    fn list(gateway: &Gateway, host: &Memory, now_ms: u64, body: &str) {
        let provider = &gateway.providers()[0];
        let found = provider.discovery.as_ref().unwrap();
        discovery::report(host, provider, found, now_ms, Ok(body.as_bytes()));
    }

    #[test]
    fn a_document_is_written_once_for_each_list() {
        let (gateway, other, host) = (gateway(), gateway(), Memory::at(1));
        let page = |gateway: &Rc<Gateway>, page| {
            Pages::of(gateway, &host).document(gateway, page, Names::Configured)
        };
        let first = page(&gateway, Page::OpenAi);
        assert!(first.contains("\"p:m\""), "{first}");
        let foreign = page(&other, Page::OpenAi);
        assert!(!Rc::ptr_eq(&first, &foreign));
        for _ in 0..2 {
            assert!(Rc::ptr_eq(&first, &page(&gateway, Page::OpenAi)));
            assert!(!Rc::ptr_eq(&first, &page(&gateway, Page::Anthropic)));
        }
        list(&gateway, &host, 2, r#"{"data":[{"id":"n"}]}"#);
        let second = page(&gateway, Page::OpenAi);
        assert!(second.contains("\"p:n\"") && !Rc::ptr_eq(&first, &second), "{second}");
        assert_eq!(Pages::of(&gateway, &host).count(), 2);
        assert!(Pages::of(&gateway, &host).find(&gateway, "p:n").is_some());
    }

    #[test]
    fn the_pages_of_a_gateway_end_with_the_gateway() {
        let host = Memory::at(1);
        for _ in 0..3 {
            let gateway = gateway();
            Pages::of(&gateway, &host);
            assert_eq!(KEPT.with_borrow(Vec::len), 1);
        }
    }
}
