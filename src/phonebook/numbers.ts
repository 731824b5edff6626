/** Telephone numbers, made comparable: `+49 (0)30 1234567`, `030/1234567` and `0049301234567` are the same. */

import {
  type CountryCode,
  getCountryCallingCode,
  Metadata,
  parsePhoneNumberFromString,
} from 'libphonenumber-js';

/** Compares numbers as somebody in one country writes them. */
export interface Numbers {
  /**
   * What two ways of writing a number have in common: its digits from the country code on, or for what is no public number
   * (extensions, service codes) its digits, `*` and `#`. Empty where there are none.
   */
  key(number: string): string;
  /** The keys that a number on the line may stand for, the likeliest first: some lines leave out the plus or the trunk prefix. */
  keys(number: string): readonly string[];
  /** What to look for among keys, each with a `|` in front, when somebody types (part of) a number. Empty for what is none. */
  parts(typed: string): readonly string[];
}

/** From this many digits on, a number without any prefix is taken for a public one, not for an extension. */
const leastPublic = 7;
/** Numbers of E.164 have 15 digits; longer ones are noise. */
const longest = 40;

/** `outsidePrefix`: what users dial in front of outside numbers, may be empty. */
export function createNumbers(country: CountryCode, outsidePrefix: string): Numbers {
  const code: string = getCountryCallingCode(country);
  const plan = new Metadata();
  plan.selectNumberingPlan(country);
  const abroad = new RegExp(`^(?:${plan.numberingPlan?.IDDPrefix() ?? '00'})`);
  const trunk = trunkPrefix(country, plan.numberingPlan);

  const isNational = (digits: string) => trunk !== '' && digits.startsWith(trunk);

  function key(number: string): string {
    const dialed = dialable(number);
    if (!/^\+?[0-9]{3,}$/.test(dialed)) return dialed;
    const prefixed = dialed.startsWith('+') || abroad.test(dialed);
    if (!prefixed && !isNational(dialed)) {
      if (dialed.length < leastPublic) return dialed;
      // With the country code and without the plus, as many lines signal it.
      if (dialed.startsWith(code) && dialed.length >= code.length + 8) return dialed;
    }
    const parsed = parsePhoneNumberFromString(dialed, { defaultCountry: country, extract: false });
    if (parsed === undefined) return dialed.replace('+', '');
    const full = parsed.number.slice(1);
    // What is no valid number, such as a part of one, keeps its trunk prefix.
    return isNational(dialed) && full.startsWith(code + trunk)
      ? code + full.slice(code.length + trunk.length)
      : full;
  }

  return {
    key,
    keys(number) {
      const dialed = dialable(number);
      const found = [key(dialed)];
      const digits = dialed.replace('+', '');
      const prefixed = dialed !== digits || abroad.test(digits) || isNational(digits);
      if (!prefixed && digits.length >= leastPublic) found.push(code + digits, digits);
      if (outsidePrefix !== '' && dialed.startsWith(outsidePrefix) && dialed.length > outsidePrefix.length) {
        found.push(key(dialed.slice(outsidePrefix.length)));
      }
      return [...new Set(found)];
    },
    parts(typed) {
      if (!/^[-+0-9*#()/.\s]*$/.test(typed)) return [];
      const dialed = dialable(typed);
      const digits = dialed.replace('+', '');
      if (digits === '') return [];
      if (dialed !== digits) return [`|${digits}`];
      const parts = [digits];
      const inside = digits.replace(abroad, '');
      if (inside !== digits && inside !== '') parts.push(`|${inside}`);
      if (isNational(digits) && digits.length > trunk.length) {
        parts.push(`|${code}${digits.slice(trunk.length)}`);
      }
      return parts;
    },
  };
}

/** What can be dialed of a text: digits, `*`, `#`, and a plus in front. The `(0)` of +49 (0)30 is for callers at home only. */
export function dialable(number: string): string {
  const bare = number.slice(0, 4 * longest).replace(/^\s*(\+[^(]*)\(0\)/, '$1');
  return bare
    .replace(/[^0-9*#+]/g, '')
    .replace(/(?!^)\+/g, '')
    .slice(0, longest);
}

/**
 * What is dialed in front of an area code at home, such as 0; empty where nothing is, and where it belongs to the number (Italy):
 * that the library strips it, is the proof.
 */
function trunkPrefix(country: CountryCode, plan: object | undefined): string {
  // Not among the library's types.
  const ask: unknown = plan !== undefined && 'nationalPrefix' in plan ? plan.nationalPrefix : undefined;
  const trunk = typeof ask === 'function' ? String(ask.call(plan) ?? '') : '';
  const code = getCountryCallingCode(country);
  // NANPA's 1 is the country code as well: what begins with it is read as that.
  if (!/^[0-9]+$/.test(trunk) || trunk === code) return '';
  const stripped = ['23456789', '441234567', '301234567', '2012345678', '9112345678'].some(
    (area) => parsePhoneNumberFromString(trunk + area, country)?.number === `+${code}${area}`,
  );
  return stripped ? trunk : '';
}
