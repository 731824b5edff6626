const texts: Readonly<Record<number, string>> = {
  0: 'Unknown',
  1: 'Unallocated (unassigned) number',
  3: 'No route to destination',
  16: 'Normal Clearing',
  17: 'User busy',
  18: 'No user responding',
  19: 'User alerting, no answer',
  20: 'Subscriber absent',
  21: 'Call Rejected',
  26: 'Answered elsewhere',
  27: 'Destination out of order',
  34: 'Circuit/channel congestion',
  127: 'Interworking, unspecified',
};

/** Cause-txt of a Q.850 cause (`ast_cause2str`, main/channel.c). */
export function causeText(cause: number): string {
  return texts[cause] ?? 'Unknown';
}

const sip: Readonly<Record<number, number>> = { 3: 404, 17: 486, 21: 403, 34: 503 };

/** The SIP status with which a ringing leg is refused for a Q.850 cause, where there is one. */
export function techCauseOf(cause: number): number | undefined {
  return sip[cause];
}

const dialStatuses: Readonly<Record<number, string>> = {
  1: 'CHANUNAVAIL',
  3: 'CHANUNAVAIL',
  17: 'BUSY',
  20: 'CHANUNAVAIL',
  27: 'CONGESTION',
  34: 'CONGESTION',
};

/** DialStatus of a leg that was refused with a cause (`hangup_cause_to_dial_status`, apps/app_dial.c). */
export function dialStatusOf(cause: number): string {
  return dialStatuses[cause] ?? 'NOANSWER';
}
