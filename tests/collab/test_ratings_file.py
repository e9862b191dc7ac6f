"""Ratings from files as people write them, and a sentence for each that is none."""

import gzip

import numpy as np
import pandas as pd
import pytest
from drawings import HTML
from ipyfastai.models import read_ratings
from ipyfastai.models.collab import columns, titles
from ipyfastai.models.collab.titles import clean, distinct, read_titles
from ipyfastai.models.progress import Cancelled, Progress

ROWS = [("1", "10", 4.0, 100), ("1", "20", 2.5, 200), ("2", "10", 5.0, 300), ("3", "20", 0.5, 400)]
HEADER = "userId,movieId,rating,timestamp"
PLAIN = "\n".join([HEADER, *(f"{user},{item},{value},{time}" for user, item, value, time in ROWS)])


def rows(ratings):
    return [
        (ratings.user_ids[user], ratings.item_ids[item], float(value), int(time))
        for user, item, value, time in zip(ratings.users, ratings.items, ratings.values, ratings.times, strict=True)
    ]


def read(text, *arguments, **options):
    return read_ratings(text if isinstance(text, bytes) else text.encode(), *arguments, **options)


def says(ratings, sentence):
    assert any(sentence in notice for notice in ratings.notices), ratings.notices


@pytest.mark.parametrize("separator", [",", ";", "\t", "|", "::", " "])
@pytest.mark.parametrize("headed", [True, False])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_separators_with_and_without_a_header(separator, headed, newline):
    lines = PLAIN.split("\n")[0 if headed else 1 :]
    ratings = read(newline.join(lines).replace(",", separator) + newline)
    assert rows(ratings) == ROWS and ratings.scale == (0.5, 5)
    if not headed:
        says(ratings, "no header: its columns were taken as user, item, rating, time.")


def test_columns_stand_in_any_order_and_others_between_them():
    table = pd.DataFrame(ROWS, columns=["User-ID", "ISBN", "Book-Rating", "Date"])
    table["Comment"] = 'so, "good"'
    ratings = read(table[["Comment", "Date", "Book-Rating", "ISBN", "User-ID"]].to_csv(index=False))
    assert rows(ratings) == ROWS


def test_columns_without_a_header_in_an_order_of_their_own():
    text = "\n".join(f"{item},{user},x,{value}" for user, item, value, _ in ROWS)
    ratings = read(text, columns=["item", "user", "", "rating"])
    assert [(ratings.user_ids[u], ratings.item_ids[i]) for u, i in zip(ratings.users, ratings.items, strict=True)] == [
        row[:2] for row in ROWS
    ]
    assert ratings.times is None


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1", "cp1252"])
@pytest.mark.parametrize("headed", [True, False])
def test_encodings(encoding, headed):
    lines = ["user;film;rating".replace("film", "title"), "Zoë;Amélie;4,5", "José;Amélie;3", "José;Señor;1"]
    ratings = read("\n".join(lines[0 if headed else 1 :]).encode(encoding))
    assert ratings.user_ids.tolist() == ["José", "Zoë"] and ratings.item_ids.tolist() == ["Amélie", "Señor"]
    assert ratings.values.tolist() == [4.5, 3, 1]


def test_a_letter_of_latin_1_far_down_the_file():
    text = "user,item,rating\n" + "ann,1,3\nbob,2,4\n" * 6000 + "José,1,5\n"
    assert len(text) > 1 << 16
    assert "José" in read(text.encode("latin-1")).user_ids and "José" in read(text.encode()).user_ids


def test_ids_are_in_the_order_of_their_numbers_whatever_the_order_of_rows():
    ratings = read("user,item,rating\n10,b,1\n9,a,2\n100,b,3\n")
    assert ratings.user_ids.tolist() == ["9", "10", "100"] and ratings.item_ids.tolist() == ["a", "b"]


def test_large_ids_and_negative_ones():
    ratings = read("user,item,rating\n9007199254740993,-5,1\n9007199254740992,7,2\n")
    assert ratings.user_ids.tolist() == ["9007199254740992", "9007199254740993"]
    assert ratings.item_ids.tolist() == ["-5", "7"]


def test_ids_keep_their_leading_zeros():
    assert read("user,isbn,rating\n007,01,1\n7,1,2\n").user_ids.tolist() == ["007", "7"]


def test_ids_that_went_through_a_table_with_gaps():
    ratings = read("user,item,rating\n1.0,5,3\n,6,4\n2.0,6,4\n")
    assert ratings.user_ids.tolist() == ["1", "2"]
    says(ratings, "1 row without a user, an item or a rating: left out.")


@pytest.mark.parametrize("cell", ["", "NA", "nan", "null", "?"])
def test_rows_with_a_gap_are_left_out_and_told(cell):
    ratings = read(f"user,item,rating\n1,5,3\n1,6,{cell}\n2,6,4\n,6,2\n2,,1\n")
    assert ratings.values.tolist() == [3, 4]
    says(ratings, "3 rows without a user, an item or a rating: left out.")


def test_a_user_may_be_called_na():
    assert read("user,item,rating\nNA,5,3\nnull,6,2\n").user_ids.tolist() == ["NA", "null"]


def test_duplicates_the_last_by_time_is_kept():
    ratings = read("user,item,rating,time\n1,5,1,300\n1,5,2,100\n2,5,3,50\n1,6,3,10\n1,5,4,300\n")
    assert rows(ratings) == [("2", "5", 3, 50), ("1", "6", 3, 10), ("1", "5", 4, 300)]
    says(ratings, "2 ratings of an item by a user who rated it again: the last by time is kept, 1 rating.")


def test_duplicates_without_times_the_last_in_the_file_is_kept():
    ratings = read("user,item,rating\n1,5,4\n1,5,2\n2,6,3\n")
    assert ratings.values.tolist() == [2, 3]
    says(ratings, "1 rating of an item by a user who rated it again: the last in the file is kept, 1 rating.")


def test_many_duplicates_as_pandas_finds_them():
    random = np.random.default_rng(0)
    table = pd.DataFrame(random.integers(1, 30, (3000, 2)), columns=["user", "item"])
    table["rating"] = random.integers(1, 11, 3000) / 2
    table["time"] = random.permutation(3000)
    wanted = table.sort_values("time").drop_duplicates(["user", "item"], keep="last").sort_index()
    got = rows(read(table.to_csv(index=False)))
    assert got == [(str(u), str(i), r, t) for u, i, r, t in wanted.itertuples(index=False)]


def test_ratings_out_of_a_given_scale_are_left_out_and_told():
    ratings = read("user,item,rating\n1,5,3\n1,6,55\n2,5,-1\n2,6,inf\n2,7,1\n", scale=(1, 5))
    assert ratings.values.tolist() == [3, 1]
    says(ratings, "3 ratings not from 1 to 5, such as 55: left out.")


def test_a_few_ratings_beyond_a_scale_that_the_others_have():
    ratings = read("user,item,rating\n" + "".join(f"{n},{n % 7},{n % 5 + 1}\n" for n in range(200)) + "7,8,44\n")
    assert ratings.scale == (1, 5) and len(ratings) == 200
    says(ratings, "Ratings are taken to run from 1 to 5, by those in the file.")
    says(ratings, "1 rating not from 1 to 5, such as 44: left out.")


@pytest.mark.parametrize(
    "values, scale",
    [((1, 5), (1, 5)), ((0.5, 5), (0.5, 5)), ((0, 4), (0, 5)), ((1, 9), (1, 10)), ((0, 1), (0, 1)), ((3, 87), (1, 100)),
     ((-9.5, 8), (-9.5, 8)), ((1, 5000), (1, 5000)), ((4, 4), (1, 5))],
)  # fmt: skip
def test_the_scale_of_the_ratings_themselves(values, scale):
    assert read(f"user,item,rating\n1,5,{values[0]}\n2,6,{values[1]}\n").scale == scale


def test_separators_that_end_the_rows_are_no_cells():
    assert read("user,item,rating\n1,5,3,\n2,6,4,\n").values.tolist() == [3, 4]


def test_decimal_commas():
    assert read("user;item;rating\n1;5;3,5\n2;6;4\n").values.tolist() == [3.5, 4]


@pytest.mark.parametrize(
    "written", ["1970-01-01T00:01:40Z", "1970-01-01 00:01:40", "100.0", "1970-01-01 01:01:40+01:00"]
)
def test_times_as_people_write_them(written):
    ratings = read(f"user,item,rating,time\n1,5,3,{written}\n2,6,4,{written}\n")
    assert ratings.times.tolist() == [100, 100]


def test_times_in_milliseconds():
    ratings = read("user,item,rating,time\n1,5,3,964982703000\n2,6,4,964981247000\n")
    assert ratings.times.tolist() == [964982703, 964981247]
    says(ratings, "Times are taken as milliseconds.")


@pytest.mark.parametrize("written", ["", "yesterday", "1e300"])
def test_without_all_times_there_are_none(written):
    ratings = read(f"user,item,rating,time\n1,5,3,{written}\n2,6,4,100\n")
    assert ratings.times is None
    says(ratings, "1 rating without a time that can be read: the times of all are left out.")


@pytest.mark.parametrize(
    "content, sentence",
    [
        (b"", "This file is empty (0 bytes)."),
        (b"\n \n", "This file is empty: it has no lines"),
        (b"\xef\xbb\xbf", "This file is empty: it has no lines"),
        (HTML, "This is a web page, not a table"),
        (gzip.compress(b"1,2,3", mtime=0), "This file is packed: unpack it first."),
        (b"PK\x03\x04rest", "This is a zip or an Excel file"),
        (b"1,2\0,3", "This is no text file."),
        ("userId,movieId,rating\n", "The file has a header and no ratings."),
        ("user,item\n1,2\n", "The file has no 3 columns that are parted by"),
        (
            "user,film,rating\n1,2,3\n",
            "The file has no column for the item (such as movieId). Its columns are 'user', 'film'",
        ),
        (
            "who,what,how\n1,2,3\n",
            "for the user (such as userId) and none for the item (such as movieId) and none for the",
        ),
        ("user,item,rating,Rating\n1,2,3,4\n", "The column 'rating' stands in the file twice."),
        ("user,item,rating\n1,2,3\n2,3,good\n", "Row 2 has 'good' where a rating should be, a number."),
        ("1,2,3\n2,3,4\n2,3,4,5\n", "Row 3 has more cells than the first: is a quote missing there?"),
        ("user,title,rating\n1,Orbit,3\n2,Roses, The,4\n", "Row 2 has more cells than the first"),
        ("1::2::3\n2::3::4::5\n3::4::5\n", "Line 2 has more cells than those before"),
        ("1,2,3\n2,3,good\n", "Row 2 has 'good' where a rating should be, a number."),
        (
            "user,item,rating\n1,2,3\n1,3,4\n",
            "All ratings are of one user, '1': to compare, it takes at least two users.",
        ),
        ("user,item,rating\n1,2,3\n2,2,4\n", "All ratings are of one item, '2'"),
        ("user,item,rating\n1,2,\n,2,4\n", "No row of the file has a user, an item and a rating on the scale."),
        ('user,item,rating\n1,"2,3\n2,2,4\n', "is never closed"),
        (",".join(map(str, range(2000))), "The file has 2,000 columns; 1,000 is the limit."),
    ],
)
def test_what_is_no_file_of_ratings_is_refused_in_a_sentence(content, sentence):
    with pytest.raises(ValueError) as refused:
        read(content)
    assert sentence in str(refused.value)
    assert "\n" not in str(refused.value) and str(refused.value).endswith((".", "?"))


def test_no_file_is_told_by_its_name_alone(tmp_path):
    with pytest.raises(ValueError, match=r"^There is no file 'ratings.csv'.$"):
        read_ratings(tmp_path / "ratings.csv")


def test_columns_that_name_no_rating():
    with pytest.raises(ValueError, match="'user', 'item', 'rating' among them; 'rating' is not"):
        read("1,2,3\n", columns=["user", "item"])


def test_titles_and_genres():
    movies = b'movieId,title,genres\n20,"Roses, The (1990)",Drama|Romance\n10,Orbit,(no genres listed)\n99,Unseen,War\n'
    ratings = read(PLAIN, movies)
    assert ratings.titles.tolist() == ["Orbit", "Roses, The (1990)"]
    assert ratings.genres == [(), ("Drama", "Romance")]


def test_titles_as_ml_100k_and_ml_1m_have_them():
    flags = "|".join("1" if place in (1, 14) else "0" for place in range(19))
    item = f"10|Misérables, Les (1995)|01-Jan-1995||http://example.org/?Mis%E9rables|{flags}\n"
    more = item.replace("10|Misérables, Les", '11|The "Real" Orbit')
    titles = read_titles((item + more).encode("latin-1"))
    assert titles["10"] == ("Misérables, Les (1995)", ("Action", "Romance"))
    assert titles["11"] == ('The "Real" Orbit (1995)', ("Action", "Romance"))
    assert read_titles(b"10::Wars: Part V::Action|War\n") == {"10": ("Wars: Part V", ("Action", "War"))}


def test_titles_within_the_ratings():
    ratings = read("userId,rating,movieId,title\n1,4,10,Orbit\n2,3,20,Roses\n2,3,10,Orbit\n")
    assert ratings.titles.tolist() == ["Orbit", "Roses"]


def test_items_without_a_title_are_called_by_their_ids_and_told():
    ratings = read(PLAIN, b"movieId,title\n10,Orbit\n")
    assert ratings.titles.tolist() == ["Orbit", "20"] and ratings.genres is None
    says(ratings, "1 item without a title: called by the id.")


def test_titles_of_another_data_set():
    with pytest.raises(ValueError, match="none of the items that were rated: is it another data set's"):
        read(PLAIN, b"movieId,title\n77,Orbit\n")


@pytest.mark.parametrize("content, sentence", [(b"movieId,title\n", "has a header and no titles"),
                                               (b"movieId,genres\n1,2\n", "no column for the title")])  # fmt: skip
def test_a_file_of_titles_that_is_none(content, sentence):
    with pytest.raises(ValueError, match=sentence):
        read(PLAIN, content)


def test_titles_are_told_apart():
    assert distinct(["Emma", "Emma", "", "Emma [1]"], ["1", "2", "7", "9"]).tolist() == [
        "Emma [1, 2]", "Emma [2]", "7", "Emma [1]",
    ]  # fmt: skip


def test_hostile_titles_are_one_line_of_characters_that_can_be_seen():
    assert clean("<b>\u202eNine\n\0 Lanterns\t") == "<b> Nine Lanterns"
    assert len(clean("long " * 1000)) == 200 and clean("long " * 1000).endswith("…")
    ratings = read(PLAIN, b'id,title\n10,"<script>alert(1)</script>"\n20,"=HYPERLINK(""x"")\r\nmore"\n')
    assert ratings.titles.tolist() == ["<script>alert(1)</script>", '=HYPERLINK("x") more']


def test_a_file_read_in_parts_is_as_if_read_at_once(monkeypatch):
    header, lines = "user,item,rating,time\n", range(997)
    texts = [
        header + "".join(f"{n % 50},{kind}{n % 40},{n % 10 / 2 + 0.5},{n}\n" for n in lines) for kind in ("", "item ")
    ]
    whole = [read(text) for text in texts]
    monkeypatch.setattr(columns, "CHUNK", 100)
    for text, one in zip(texts, whole, strict=True):
        parts = read(text)
        assert rows(parts) == rows(one) and parts.item_ids.tolist() == one.item_ids.tolist()


def test_a_word_far_down_among_numbers(monkeypatch):
    monkeypatch.setattr(columns, "CHUNK", 3)
    text = "user,item,rating\n" + "".join(f"{n},{n % 2},3\n" for n in range(10)) + "007,ann,4\n"
    ratings = read(text)
    assert ratings.item_ids.tolist() == ["0", "1", "ann"] and len(ratings) == 11


def test_progress_and_cancel(monkeypatch):
    monkeypatch.setattr(columns, "CHUNK", 2)
    progress = Progress()
    read(PLAIN, progress=progress)
    assert (progress.done, progress.total, progress.text) == (len(PLAIN), len(PLAIN), "Read 4 ratings")
    progress.cancel()
    with pytest.raises(Cancelled):
        read(PLAIN, progress=progress)


def test_there_is_an_end_to_what_a_file_may_unfold_to(monkeypatch):
    monkeypatch.setattr(columns, "MOST", 3)
    assert len(read_ratings(b"user,item,rating\n1,1,3\n2,2,4\n3,1,5\n")) == 3
    with pytest.raises(ValueError, match="more than 3 ratings"):
        read_ratings(b"user,item,rating\n" + b"1,1,3\n2,2,4\n" * 2)
    monkeypatch.setattr(titles, "MOST", 1)
    with pytest.raises(ValueError, match="more than 1 titles"):
        read_titles(b"movieId,title\n1,Heat\n2,Ronin\n")


def test_a_file_of_many_columns_is_read_in_smaller_parts(monkeypatch):
    monkeypatch.setattr(columns, "CELLS", 30)
    told = []
    progress = Progress()
    monkeypatch.setattr(progress, "report", lambda *report: told.append(report[2]))
    wide = "user,item,rating,a,b,c\n" + "".join(f"{row % 7},{row},{row % 5 + 1},,,\n" for row in range(10))
    assert len(read_ratings(wide.encode(), progress=progress)) == 10
    assert told == ["Read 4 ratings", "Read 8 ratings", "Read 10 ratings"]


@pytest.mark.parametrize("rating", ["3e38", "-3e38"])
def test_ratings_that_no_scale_has(rating):
    rows = "\n".join(f"{row},{row % 3},{rating}" for row in range(9))
    with pytest.raises(ValueError, match="between -1,000,000 and 1,000,000, and one is -?3e.38"):
        read_ratings(rows.encode())
