"""The index of words over the chunks: FTS5 with Porter stems on SQLite, full text on Postgres. Made from the chunks.

It is no table of the schema: `prepare` creates it where it is missing and fills it where it does not match, and
triggers keep it current from then on.
"""

from __future__ import annotations

import math
from collections import defaultdict
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

import orjson
from sqlalchemy import text

from kernel.store.knowledge import run

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlmodel import Session

K1, B = 1.2, 0.75  # BM25 as SQLite's FTS5 has it
POOL = 1000  # matches that Postgres hands over for scoring, best by ts_rank

_SQLITE = (
    """CREATE VIRTUAL TABLE IF NOT EXISTS chunk_words USING fts5(
         heading, text, content='chunk', content_rowid='id', tokenize='porter unicode61 remove_diacritics 2')""",
    """CREATE TRIGGER IF NOT EXISTS chunk_words_insert AFTER INSERT ON chunk BEGIN
         INSERT INTO chunk_words (rowid, heading, text) VALUES (new.id, new.heading, new.text);
       END""",
    """CREATE TRIGGER IF NOT EXISTS chunk_words_delete AFTER DELETE ON chunk BEGIN
         INSERT INTO chunk_words (chunk_words, rowid, heading, text)
           VALUES ('delete', old.id, old.heading, old.text);
       END""",
    """CREATE TRIGGER IF NOT EXISTS chunk_words_update AFTER UPDATE OF heading, text ON chunk BEGIN
         INSERT INTO chunk_words (chunk_words, rowid, heading, text)
           VALUES ('delete', old.id, old.heading, old.text);
         INSERT INTO chunk_words (rowid, heading, text) VALUES (new.id, new.heading, new.text);
       END""",
)
# Postgres reads "ERR-1042" as "err" and minus 1042: only letters and digits reach its parser, as in FTS5.
# Replicas create and rebuild one after the other, and lock what a document's chunks are in before the words that follow
# from them: in the order in which a change of a document does, so that neither waits for what the other has.
_ALONE = ("SELECT pg_advisory_xact_lock(423371469683)", "LOCK TABLE chunk IN SHARE ROW EXCLUSIVE MODE")
_POSTGRES = (
    *_ALONE,
    """CREATE TABLE IF NOT EXISTS chunk_words (
         chunk_id integer PRIMARY KEY REFERENCES chunk (id) ON DELETE CASCADE,
         words tsvector NOT NULL, length integer NOT NULL)""",
    "CREATE INDEX IF NOT EXISTS chunk_words_gin ON chunk_words USING gin (words)",
    """CREATE OR REPLACE FUNCTION chunk_words_of(heading text, body text) RETURNS tsvector
         LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
           SELECT to_tsvector('english', regexp_replace(heading || ' ' || body, '[^[:alnum:]]+', ' ', 'g'))
         $$""",
    """CREATE OR REPLACE FUNCTION chunk_words_put() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
         INSERT INTO chunk_words
           SELECT new.id, w, (SELECT coalesce(sum(cardinality(positions)), 0) FROM unnest(w))
           FROM chunk_words_of(new.heading, new.text) w
           ON CONFLICT (chunk_id) DO UPDATE SET words = excluded.words, length = excluded.length;
         RETURN NULL;
       END $$""",
    """CREATE OR REPLACE TRIGGER chunk_words_put AFTER INSERT OR UPDATE OF heading, text ON chunk
         FOR EACH ROW EXECUTE FUNCTION chunk_words_put()""",
    """INSERT INTO chunk_words
         SELECT id, w, (SELECT coalesce(sum(cardinality(positions)), 0) FROM unnest(w))
         FROM chunk, chunk_words_of(heading, text) w
         WHERE id NOT IN (SELECT chunk_id FROM chunk_words) ON CONFLICT DO NOTHING""",
)

_POSTGRES_HITS = """
    SELECT hit.chunk_id, hit.length, w.lexeme, cardinality(w.positions)
    FROM (
      SELECT chunk_id, length, words FROM chunk_words WHERE words @@ CAST(:query AS tsquery) /* readable */
      ORDER BY ts_rank(words, CAST(:query AS tsquery)) DESC, chunk_id LIMIT :pool
    ) hit, unnest(hit.words) w
    WHERE w.lexeme IN :lexemes"""
_ALL = "SELECT -1, count(*), NULL FROM chunk"
_WORD_SQLITE = """
    SELECT {number}, (SELECT count(*) FROM chunk_words WHERE chunk_words MATCH {query}),
      (SELECT json_group_array(rowid) FROM chunk_words WHERE chunk_words MATCH {query} AND +rowid IN :ids)"""
_WORD_POSTGRES = """
    SELECT {number}, (SELECT count(*) FROM chunk_words WHERE words @@ phraseto_tsquery('english', {query})),
      (SELECT CAST(json_agg(chunk_id) AS text) FROM chunk_words
       WHERE words @@ phraseto_tsquery('english', {query}) AND chunk_id IN :ids)"""
_READABLE = (
    "IN (SELECT c.id FROM document_reader r JOIN chunk c ON c.document_id = r.document_id WHERE r.reader IN :grants)"
)


class Match(NamedTuple):
    """A chunk that has words of the query."""

    id: int
    score: float  # BM25, above 0


class Coverage(NamedTuple):
    """How much of a query's words are in some chunks, by how rare each word is."""

    words: dict[str, float]  # word -> inverse document frequency
    held: dict[int, frozenset[str]]  # chunk -> the words that it has

    def share(self, chunk_id: int) -> float:
        """The part of the query's idf mass that the chunk covers, 0 to 1."""
        whole = sum(self.words.values())
        return sum(self.words[word] for word in self.held.get(chunk_id, ())) / whole if whole else 0.0


def prepare(session: Session) -> None:
    """Create what is missing and fill it. Quick where nothing is to be done."""
    sqlite = session.get_bind().dialect.name == "sqlite"
    connection = session.connection()
    known = sqlite and connection.execute(text("SELECT 1 FROM sqlite_master WHERE name = 'chunk_words'")).first()
    for statement in _SQLITE if sqlite else _POSTGRES:
        connection.exec_driver_sql(statement)
    if sqlite and not known:
        rebuild(session)


def rebuild(session: Session) -> None:
    """Make the index again from the chunks."""
    if session.get_bind().dialect.name == "sqlite":
        session.connection().exec_driver_sql("INSERT INTO chunk_words (chunk_words) VALUES ('rebuild')")
    else:
        for statement in (*_ALONE, "DELETE FROM chunk_words", _POSTGRES[-1]):
            session.connection().exec_driver_sql(statement)


def matches(session: Session, terms: Sequence[str], limit: int) -> list[Match]:
    """The chunks with the highest BM25 for any of `terms`, best first. A term of several words is a phrase."""
    return matches_among(session, terms, limit, "")


def readable_matches(session: Session, terms: Sequence[str], limit: int, grants: list[str]) -> list[Match]:
    """The same among the chunks that an audience with `grants` may read: for when the best of all are not."""
    return matches_among(session, terms, limit, _READABLE, grants=grants)


def matches_among(session: Session, terms: Sequence[str], limit: int, chosen: str, **values: object) -> list[Match]:
    """The same among the chunks of which `chosen`, a constant piece of SQL, says "IN (SELECT ...)"; empty: all."""
    if not terms:
        return []
    if session.get_bind().dialect.name != "sqlite":
        return _postgres_matches(session, terms, limit, f"AND chunk_id {chosen}" if chosen else "", values)
    # Measured: "ORDER BY rank" takes twice as long, and without the + SQLite runs the query once per readable chunk.
    sql = "SELECT rowid, bm25(chunk_words) AS score FROM chunk_words WHERE chunk_words MATCH :query"
    sql += f" AND +rowid {chosen}" if chosen else ""
    found = run(session, f"{sql} ORDER BY score LIMIT :limit", query=_fts5(terms), limit=limit, **values)
    return [Match(row[0], -row[1]) for row in found]


def coverage(session: Session, terms: Sequence[str], ids: list[int]) -> Coverage:
    """Which of `ids` have which of `terms`, and how rare the terms are among all chunks."""
    if not ids or not terms:
        return Coverage({}, {})
    total, known = _word_by_word(session, terms, ids)
    words: dict[str, float] = {}
    having: defaultdict[int, set[str]] = defaultdict(set)
    for term, (frequency, holding) in zip(terms, known, strict=True):
        words[term] = math.log(1 + (total - frequency + 0.5) / (frequency + 0.5))
        for chunk_id in holding:
            having[chunk_id].add(term)
    return Coverage(words, {chunk_id: frozenset(found) for chunk_id, found in having.items()})


def _word_by_word(session: Session, terms: Sequence[str], ids: list[int]) -> tuple[int, list[tuple[int, list[int]]]]:
    """How many chunks there are; of each term, how many have it, and which of `ids`. One question for all of that."""
    sqlite = session.get_bind().dialect.name == "sqlite"
    queries = {f"q{number}": _fts5([term]) if sqlite else term for number, term in enumerate(terms)}
    part = _WORD_SQLITE if sqlite else _WORD_POSTGRES
    parts = (part.format(number=number, query=f":{name}") for number, name in enumerate(queries))
    rows = run(session, " UNION ALL ".join((_ALL, *parts)), ids=ids, **queries).all()
    (_, total, _), *known = sorted(rows, key=itemgetter(0))
    return total, [(frequency, orjson.loads(held) if held else []) for _, frequency, held in known]


def _fts5(terms: Sequence[str]) -> str:
    """An FTS5 query for any of the terms; quoted, so that nothing in them is syntax."""
    return " OR ".join('"' + term.replace('"', '""') + '"' for term in terms)


def _postgres_matches(
    session: Session, terms: Sequence[str], limit: int, condition: str, values: dict[str, object]
) -> list[Match]:
    """BM25 over what the full text index finds: Postgres itself ranks without document frequencies."""
    lexemes = run(session, "SELECT DISTINCT lexeme FROM unnest(to_tsvector('english', :query))", query=" ".join(terms))
    frequencies = {row[0]: _postgres_frequency(session, row[0]) for row in lexemes.all()}
    if not frequencies:
        return []
    total, average = run(session, "SELECT count(*), coalesce(avg(length), 1) FROM chunk_words").one()
    hits = run(
        session,
        _POSTGRES_HITS.replace("/* readable */", condition),
        query=" | ".join(_tsquery(lexeme) for lexeme in frequencies),
        pool=max(POOL, limit),
        lexemes=list(frequencies),
        **values,
    )
    scores: defaultdict[int, float] = defaultdict(float)
    for chunk_id, length, lexeme, times in hits:
        rarity = max(math.log((total - frequencies[lexeme] + 0.5) / (frequencies[lexeme] + 0.5)), 1e-6)
        scores[chunk_id] += rarity * times * (K1 + 1) / (times + K1 * (1 - B + B * length / float(average)))
    best = sorted(scores.items(), key=lambda item: (-item[1], item[0]))
    return [Match(chunk_id, score) for chunk_id, score in best[:limit]]


def _postgres_frequency(session: Session, lexeme: str) -> int:
    sql = "SELECT count(*) FROM chunk_words WHERE words @@ CAST(:query AS tsquery)"
    return int(run(session, sql, query=_tsquery(lexeme)).scalar_one())


def _tsquery(lexeme: str) -> str:
    return "'" + lexeme.replace("\\", "\\\\").replace("'", "''") + "'"
