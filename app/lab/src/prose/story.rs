//! The introduction of the page, the procedure of a run, and the story of Keyturn's design.

use lab_types::Experiment;

use super::html::{
    BROWSER_APPS, OWASP_CSRF, OWASP_HTML5, RFC_6749_REFRESH, RFC_6750, RFC_7009, RFC_7519,
    RFC_9700_PROTECTION, RFC_9700_ROTATION, Source, escaped, paragraphs, sources,
};

struct Chapter {
    title: &'static str,
    paragraphs: &'static [&'static str],
    sources: &'static [Source],
}

pub(super) fn opening() -> String {
    paragraphs(&[
        "There are six places where a page commonly keeps what proves who you are, and each is praised somewhere. This page \
         does not ask you to believe any of it: it signs in six times, attacks itself in your browser, and shows what came \
         out.",
    ])
}

pub(super) fn procedure(bench: Experiment) -> String {
    paragraphs(match bench {
        Experiment::Storage => STORAGE,
        Experiment::Forgery => FORGERY,
        Experiment::Scripts => SCRIPTS,
        Experiment::Races => RACES,
    })
}

const STORAGE: &[&str] = &[
    "“Run all” opens a small window on another host, which is made for being attacked, and closes when it is done. Soon \
     after that this tab steps over there for a second, because a second tab is part of the question, and comes back by \
     itself. The accounts and the tokens are made for this run alone; your own session has no part in it.",
];

const FORGERY: &[&str] = &[
    "Browsers attach cookies to every request to a site, no matter which page caused it. Here the victim is signed in with \
     an unrestricted cookie, and two attacker pages send requests: one on another site, one on a sibling subdomain (which \
     browsers treat as the same site). Each column tests one guard on its own. The first column has none, to prove that \
     the attack works.",
    "Guards look at methods that ought to change something. A door that can be opened by a GET passes them by, which is \
     what the links and images show. The last column is Keyturn’s own endpoint for refreshing, with all that it has.",
];

const SCRIPTS: &[&str] = &[
    "The same page, with the same holes, under four policies. What a stranger has brought in tries to send money in the \
     visitor’s name, or to carry something away. A cell is safe only if the browser itself said that it refused.",
    "The last group is about a script that the page trusts, as after a bad update of a library. Its policy \
     still closes some ways home; acting through the page it does not hinder, here or anywhere.",
];

const RACES: &[&str] = &[
    "The access token ends, and everything that is open finds out at the same moment. Frames in the runner’s window stand \
     for tabs: documents with memory of their own, and one cookie jar. The server of the first columns reads a token’s \
     state, thinks for a quarter of a second, and writes. In the last row it has rotated, and the answer never arrives.",
    "A fork is worse than it looks: everybody goes on, and one login has several live tokens, so that a stolen one is never \
     missed. The last two columns are Keyturn’s own endpoint, without and with a page that waits for one refresh and takes \
     turns with the others.",
];

pub(super) fn story() -> String {
    let chapters: String = CHAPTERS.iter().map(chapter).collect();
    format!("<h2 class=\"section-title\">How it came to be built like this</h2>{chapters}")
}

fn chapter(chapter: &Chapter) -> String {
    let read_up = if chapter.sources.is_empty() {
        String::new()
    } else {
        format!("<p><small>{}</small></p>", sources(chapter.sources))
    };
    format!(
        "<section><h3>{}</h3>{}{read_up}</section>",
        escaped(chapter.title),
        paragraphs(chapter.paragraphs)
    )
}

const CHAPTERS: [Chapter; 7] = [
    Chapter {
        title: "Before it was built",
        paragraphs: &[
            "The usual tutorial signs in, gets a token and writes it to localStorage. It works at once, survives a reload, \
             and needs no cookie. The question that it leaves open is who else can read what was written there.",
            "The answer is: every script of the site, for as long as the entry exists. The first column of the matrix shows \
             what one such script takes along in one go.",
        ],
        sources: &[OWASP_HTML5],
    },
    Chapter {
        title: "What a token is, and how it travels",
        paragraphs: &[
            "An access token here is a JWT: three parts in base64url, of which the last signs the first two. Anyone can \
             read it, no one can change it unnoticed, and a server can check it without asking a database.",
            "It is a bearer token. Anyone who holds it is trusted. So the question is who can get hold of it, and for how \
             long it’s useful.",
        ],
        sources: &[RFC_7519, RFC_6750],
    },
    Chapter {
        title: "Why there are two",
        paragraphs: &[
            "A short life limits what a stolen token is worth, and would ask you for your password every fifteen minutes. A \
             refresh token takes that burden: it is good at one endpoint only, where it buys the next access token.",
            "That makes the refresh token the one to guard, and the one that deserves the better place.",
        ],
        sources: &[RFC_6749_REFRESH],
    },
    Chapter {
        title: "Why the refresh token turns",
        paragraphs: &[
            "A bearer token is trusted no matter who presents it, so a copy of a refresh token is as good as the original, \
             unless it is bound to a key. Rotation makes the copy visible: each use spends the token, and one that comes twice may have been \
             held by two. A lost answer or a second tab looks the same for a moment, and is forgiven for a moment.",
            "After that Keyturn ends the session for both, because it cannot know which of them is you. Rotation does not prevent \
             the theft. The last row shows how far it goes: a thief who comes before the owner is served, until the owner \
             comes.",
        ],
        sources: &[RFC_9700_ROTATION, RFC_9700_PROTECTION],
    },
    Chapter {
        title: "Signing out, and the blacklist",
        paragraphs: &[
            "Deleting a token in the browser ends nothing, for the copy does not know of it. Signing out has to be something \
             that the server does.",
            "Keyturn ends the session in its database, and keeps a list of what must no longer be believed although its \
             signature is good. Refresh tokens stand on it until they would have expired. What \
             is asked at every request is a shorter list, of the sessions that ended within an access token’s lifetime.",
        ],
        sources: &[RFC_7009],
    },
    Chapter {
        title: "Where to keep them",
        paragraphs: &[
            "No place wins every row. Memory is read by no other page and lost at every reload. An httpOnly cookie survives \
             reloads and is read by no script, and is sent by the browser when another site asks for it; that is what \
             SameSite, a custom header and a look at the request’s origin are for.",
            "And a script that runs inside the page needs no token at all: it asks the page to act. In that row every column \
             is exposed, ours too. Against it only helps to let no such script in.",
        ],
        sources: &[BROWSER_APPS, OWASP_CSRF],
    },
    Chapter {
        title: "What to tell one’s past self",
        paragraphs: &[
            "Ask what a thief can do with what can be taken, and for how long, before asking where to put it. Write down what \
             is not defended against. Let the server have the last word about every session.",
            "And if a server-side session with one httpOnly cookie is enough, take it. It is the plainest column of the \
             matrix, and has nothing to be stolen that a script could read.",
        ],
        sources: &[BROWSER_APPS],
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_story_is_whole_and_calm() {
        let story = story();
        for chapter in &CHAPTERS {
            assert!(story.contains(&escaped(chapter.title)));
            assert!(!chapter.sources.is_empty(), "{}", chapter.title);
        }
        assert!(!story.contains('!'));
        for tag in ["section", "p", "h3", "a", "small"] {
            let opened =
                story.matches(&format!("<{tag}>")).count() + story.matches(&format!("<{tag} ")).count();
            assert_eq!(opened, story.matches(&format!("</{tag}>")).count(), "{tag}");
        }
    }
}
