"""Titles found by what a person remembers of them."""

import pytest
from factorise import movielens_recommender
from ipyfastai.models.collab.title_search import TitleSearch


@pytest.mark.parametrize(
    "typed, title",
    [
        ("matrix", "Matrix, The (1999)"),
        ("the matrix", "Matrix, The (1999)"),
        ("MATRIX the", "Matrix, The (1999)"),
        ("matirx", "Matrix, The (1999)"),
        ("pulp fic", "Pulp Fiction (1994)"),
        ("  alien ", "Alien (1979)"),
        ("the alien", "Alien (1979)"),
        ("aliens", "Aliens (1986)"),
        ("amélie", "Amelie (Fabuleux destin d'Amélie Poulain, Le) (2001)"),
        ("amelie", "Amelie (Fabuleux destin d'Amélie Poulain, Le) (2001)"),
        ("schindlers", "Schindler's List (1993)"),
        ("spiderman", "Spider-Man (2002)"),
        ("wall e", "WALL·E (2008)"),
        ("terminatr 2", "Terminator 2: Judgment Day (1991)"),
        ("star wars 1977", "Star Wars: Episode IV - A New Hope (1977)"),
        ("fast and furious 6", "Fast & Furious 6 (Fast and the Furious 6, The) (2013)"),
    ],
)
def test_the_first_find_is_what_was_meant(typed, title):
    model, _ = movielens_recommender()
    assert model.titles[model.search(typed)[0]] == title


def test_of_equal_finds_the_better_known_comes_first():
    search = TitleSearch(["Heat (1986)", "Heat (1995)", "Dead Heat (1988)"], [1, 50, 99])
    assert search("heat") == [1, 0, 2]
    assert search("heat", limit=1) == [1]


@pytest.mark.parametrize("typed", ["", "   ", "?!", "xyzzy", "q" * 10_000, "\ud800", "a " * 5000, ".*("])
def test_what_finds_nothing_does_no_harm(typed):
    assert TitleSearch(["Alien (1979)", "Amélie (2001)"])(typed) in ([], [0, 1])
    assert TitleSearch([])(typed) == [] and TitleSearch(["???"])(typed) == []


def test_titles_of_other_scripts_are_found():
    search = TitleSearch(["Сталкер (1979)", "千と千尋の神隠し (2001)", "Ångström"])
    assert search("сталкер") == [0] and search("千と千尋") == [1] and search("angstrom") == [2]
