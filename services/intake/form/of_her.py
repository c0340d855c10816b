"""The questions as they are put to somebody who fills the form in with her."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final, TypeAlias

from services.intake.form.step import Answers, Step, helped
from services.intake.form.surveys import ABOUT_HER, SURVEYED

Say: TypeAlias = Callable[[str], str]
"""A sentence of the form as this reader is to read it."""

READ_OUT: Final = "Read this out to her as it stands, with its answers."

ADDRESSED: Final = re.compile(r"\b(you|your|I|me|my)\b")
"""What is said to her, or by her: somebody who helps must not take it for himself."""

OF_HER: Final[Mapping[str, str]] = {
    "Where would you like to walk?": "Where would she like to walk?",
    "A postcode in or near the place, like BS1 5TR. It need not be your own.": (
        "A postcode in or near the place, like BS1 5TR. It need not be her own."
    ),
    "Postcodes, or two numbers from a map, one on each line, in the order you would walk. Up to seven.": (
        "Postcodes, or two numbers from a map, one on each line, in the order she would walk. Up to seven."
    ),
    "Do you live, work or study near there?": "Does she live, work or study near there?",
    "Select yes if you live, work or study near the place": "Select yes if she lives, works or studies near the place",
    "What makes you feel unsafe there?": "What makes her feel unsafe there?",
    "Select all that apply. You can leave this out and tell the officer on the walk.": (
        "Select all that apply. She can leave this out and tell the officer on the walk."
    ),
    "I cannot see far, or be seen": "She cannot see far, or be seen",
    "Is there anything you would like to tell the officer before the walk?": (
        "Is there anything she would like to tell the officer before the walk?"
    ),
    "Kept locked. Only the officer who walks with you and the coordinator of the force can read it.": (
        "Kept locked. Only the officer who walks with her and the coordinator of the force can read it."
    ),
    "In your own words": "In her own words",
    "For example where exactly, since when, or what happened. Leave out who somebody is, if you can.": (
        "For example where exactly, since when, or what happened. Leave out who somebody is, if that is possible."
    ),
    "Which days would suit you?": "Which days would suit her?",
    "What time of day would you like to walk?": "What time of day would she like to walk?",
    "Choose the times when you feel unsafe there, if you can. Select all that apply.": (
        "Choose the times when she feels unsafe there, if she can. Select all that apply."
    ),
    "Leave this empty if any day from now on would suit you.": (
        "Leave this empty if any day from now on would suit her."
    ),
    "The first day that would suit you": "The first day that would suit her",
    "Would you also walk in a small group?": "Would she also walk in a small group?",
    "No, I would like to walk alone with the officer": "No, she would like to walk alone with the officer",
    "Select yes if you would also walk in a small group": "Select yes if she would also walk in a small group",
    "Is there anything that would make the walk easier for you?": (
        "Is there anything that would make the walk easier for her?"
    ),
    "Which language would you like to speak?": "Which language would she like to speak?",
    "For example Polish, Urdu, British Sign Language. Leave this empty if English suits you.": (
        "For example Polish, Urdu, British Sign Language. Leave this empty if English suits her."
    ),
    "What should we call you?": "What should we call her?",
    "Your name, or another name you would like the officer to use.": (
        "Her name, or another name she would like the officer to use."
    ),
    "Enter what we should call you, in 100 characters or fewer": (
        "Enter what we should call her, in 100 characters or fewer"
    ),
    "How is it safe to contact you?": "How is it safe to contact her?",
    "Select at least one way we may contact you": "Select at least one way we may contact her",
    "What is your email address?": "What is her email address?",
    "Enter your email address": "Enter her email address",
    "What is your phone number?": "What is her phone number?",
    "Enter your phone number": "Enter her phone number",
    "When is it safe to contact you?": "When is it safe to contact her?",
    "Select at least one time when it is safe to contact you": (
        "Select at least one time when it is safe to contact her"
    ),
    "Yes, you may say that you are the police and why you are writing or calling": (
        "Yes, you may say that you are the police and why you are writing or calling"
    ),
    "No, do not say who you are or why until you know it is me": (
        "No, do not say who you are or why until you know it is her"
    ),
    "Would you like an entry for your calendar?": "Would she like an entry for her calendar?",
    "It comes with our emails once a time is agreed. Choose no if others can see your calendar.": (
        "It comes with our emails once a time is agreed. Choose no if others can see her calendar."
    ),
    "Select yes if you would like an entry for your calendar": (
        "Select yes if she would like an entry for her calendar"
    ),
    "How will you know that it is the officer?": "How will she know that it is the officer?",
    "Any word you will remember and nobody else would guess.": (
        "Any word she will remember and nobody else would guess. She need not tell you: she can type it herself."
    ),
    (
        "Somebody you are afraid of may work for the police. An officer you name here cannot take your walk on, and "
        "cannot see who you are."
    ): (
        "Somebody she is afraid of may work for the police. An officer she names here cannot take her walk on, and "
        "cannot see who she is."
    ),
    "You need not say why.": "She need not say why.",
    "One postcode on each line, like BS1 5TR. You need not know what the team is called.": (
        "One postcode on each line, like BS1 5TR. She need not know what the team is called."
    ),
    (
        "Somebody you are afraid of may work in a team, or have friends there. Nobody in a team you name here can see "
        "your request or who you are."
    ): (
        "Somebody she is afraid of may work in a team, or have friends there. Nobody in a team she names here can see "
        "her request or who she is."
    ),
    "If it is the team of the place you chose, a coordinator looks for another officer.": (
        "If it is the team of the place she chose, a coordinator looks for another officer."
    ),
    "They help us see whether these walks change anything. You can leave out any of them.": (
        "They help us see whether these walks change anything. She can leave out any of them."
    ),
    (
        "Your answers are kept apart from your name and your request, and mixed with other women’s before anybody "
        "counts them."
    ): (
        "Her answers are kept apart from her name and her request, and mixed with other women’s before anybody "
        "counts them."
    ),
    "How safe you feel, before the walk": "How safe she feels, before the walk",
    "Would you answer 7 short questions?": "Would she answer 7 short questions?",
    "Select yes if you would answer a few questions": "Select yes if she would answer a few questions",
    "Would you answer a few questions about yourself?": "Would she answer a few questions about herself?",
    "Select yes if you would answer a few questions about yourself": (
        "Select yes if she would answer a few questions about herself"
    ),
    "They help the force see whether walks reach women of every background. You can leave out any of them.": (
        "They help the force see whether walks reach women of every background. She can leave out any of them."
    ),
    (
        "Each answer is torn off from your name, from your request and from your other answers, and mixed with "
        "other women’s. Nobody who arranges your walk sees it. We cannot find it again, so we cannot delete it later."
    ): (
        "Each answer is torn off from her name, from her request and from her other answers, and mixed with other "
        "women’s. Nobody who arranges her walk sees it. We cannot find it again, so we cannot delete it later."
    ),
    "Questions about how safe you feel": "Questions about how safe she feels",
}

BEFORE_WHO: Final = frozenset({"eligibility", "who", "helper"})
"""Pages that are read before it is known who reads, or are meant for the one who helps."""


def spoken_to(answers: Answers) -> Say:
    """How sentences are put to whoever fills this form in."""
    return (lambda text: OF_HER.get(text, text)) if helped(answers) else (lambda text: text)


def worded(step: Step, answers: Answers) -> Step:
    """The page in the words for whoever fills this form in. Questions of the survey are read out, and so left alone."""
    if not helped(answers) or step.slug in BEFORE_WHO:
        return step
    if step.slug in (*SURVEYED, *ABOUT_HER):
        return replace(step, lead=(*step.lead, READ_OUT))
    say, asked = spoken_to(answers), step.asked
    return replace(
        step,
        title=say(step.title),
        lead=tuple(map(say, step.lead)),
        asked=replace(
            asked,
            label=say(asked.label),
            hint=say(asked.hint),
            choices=asked.choices and {code: say(text) for code, text in asked.choices.items()},
        ),
        messages={field: say(message) for field, message in step.messages.items()},
    )
