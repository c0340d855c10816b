"""The words people read for the scheme's closed lists."""

from __future__ import annotations

from typing import Final

from services.partners.domain import By, ReferralState, TriageReason
from shared.contracts.kinds import PartOfDay, Reason, Severity
from shared.contracts.partner_view import PartnerReferralStatus
from shared.contracts.referrals import Progress, Resolution

CATEGORIES: Final[dict[Reason, str]] = {
    Reason.NO_CCTV: "No CCTV",
    Reason.BADLY_LIT: "Badly lit",
    Reason.EMPTY_OR_ISOLATED: "Empty buildings or isolated",
    Reason.POOR_LAYOUT: "Poor street layout",
    Reason.RESTRICTED_VISIBILITY: "Restricted visibility",
    Reason.RUNDOWN: "Rundown",
    Reason.DRUGS_OR_ALCOHOL: "Signs of drug or alcohol use",
    Reason.OTHER_ENVIRONMENT: "Something else about the place",
    Reason.HARASSED_BY_ONE: "Verbal harassment by one stranger",
    Reason.HARASSED_BY_GROUP: "Verbal harassment by a group",
    Reason.FOLLOWED: "Being followed",
    Reason.OTHER_HARASSMENT: "Other harassment",
}
TIMES: Final[dict[PartOfDay, str]] = {
    PartOfDay.EARLY_MORNING: "Early morning, before 9am",
    PartOfDay.DAYTIME: "Daytime, 9am to 5pm",
    PartOfDay.EVENING: "Evening, after 5pm",
}
SEVERITIES: Final[dict[Severity, str]] = {
    Severity.LOW: "Low",
    Severity.MEDIUM: "Medium",
    Severity.HIGH: "High",
}
STATES: Final[dict[ReferralState, str]] = {
    ReferralState.MADE: "New",
    ReferralState.ACCEPTED: "Accepted",
    ReferralState.DECLINED: "Declined",
    ReferralState.RESOLVED: "Resolved",
    ReferralState.WITHDRAWN: "Withdrawn",
}
STATUSES: Final[dict[PartnerReferralStatus, str]] = {
    PartnerReferralStatus.ACCEPTED: "Accepted",
    PartnerReferralStatus.DECLINED: "Declined",
    PartnerReferralStatus.UPDATED: "Updated",
    PartnerReferralStatus.RESOLVED: "Resolved",
    PartnerReferralStatus.WITHDRAWN: "Withdrawn",
    PartnerReferralStatus.REDACTED: "Words erased",
}
PROGRESS: Final[dict[Progress, str]] = {
    Progress.INVESTIGATING: "Looking into it",
    Progress.PLANNED: "Work is planned",
    Progress.PARTLY_DONE: "Partly done",
    Progress.MONITORING: "Watching the place",
}
RESOLUTIONS: Final[dict[Resolution, str]] = {
    Resolution.DONE: "Something was done",
    Resolution.NOTHING_MORE: "Nothing more will be done",
}
TRIAGE: Final[dict[TriageReason, str]] = {
    TriageReason.NOT_COVERED: "No agreement covers this category here",
    TriageReason.ALL_DECLINED: "Every partner that covers it has declined",
}
WHO: Final[dict[By, str]] = {
    By.PARTNER: "by the partner",
    By.POLICE: "by the police",
}
