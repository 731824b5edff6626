/** What answers where nobody does: dialplan applications, by the token that `eventDetails` carries. */

const tokens: Readonly<Record<string, readonly string[]>> = {
  mailbox: [
    'VoiceMail',
    'VoiceMailMain',
    'VMAuthenticate',
    'VoiceMailPlayMsg',
    'MinivmRecord',
    'MinivmGreet',
  ],
  echo: ['Echo'],
  queue: ['Queue'],
  conference: ['ConfBridge', 'MeetMe', 'Konference', 'Page'],
  announcement: [
    'Playback',
    'ControlPlayback',
    'BackGround',
    'Background',
    'SayAlpha',
    'SayDigits',
    'SayNumber',
    'SayPhonetic',
    'SayUnixTime',
    'Festival',
    'SpeechBackground',
    'Zapateller',
  ],
  menu: ['Read', 'WaitExten', 'Directory', 'DISA', 'Authenticate', 'IVRDemo', 'ExternalIVR'],
  parking: ['Park', 'ParkAndAnnounce'],
  music: ['MusicOnHold', 'MP3Player', 'Milliwatt'],
  recording: ['Record', 'Dictate'],
};

const byApplication = new Map(
  Object.entries(tokens).flatMap(([token, names]) =>
    names.map((name) => [name.toLowerCase(), token] as const),
  ),
);

/** Any other application that keeps a caller: Wait, AGI, Stasis, … */
export const someService = 'service';

// They last no time and answer nobody; what follows them tells what the call is for.
const passing = new Set(
  `NoOp Set MSet ClearHash Goto GotoIf GotoIfTime Gosub GosubIf Return StackPop Macro MacroExit MacroIf Exec ExecIf ExecIfTime
  TryExec While EndWhile ContinueWhile ExitWhile Answer Progress Ringing Proceeding Verbose Log DumpChan UserEvent Hangup
  Busy Congestion SetAMAFlags ResetCDR NoCDR CELGenUserEvent ChannelRedirect SoftHangup StartMusicOnHold StopMusicOnHold
  SetMusicOnHold MixMonitor StopMixMonitor Monitor StopMonitor Bridge System TrySystem SendText SendURL SIPAddHeader
  SIPRemoveHeader PJSIPNotify AddQueueMember RemoveQueueMember PauseQueueMember UnpauseQueueMember QueueLog DBdel DBdeltree
  Incomplete Transfer PrivacyManager SetCallerPres Originate ImportVar ReadFile`
    .split(/\s+/)
    .map((name) => name.toLowerCase()),
);

// They bring somebody to the channel, or are what Asterisk calls a channel that was brought.
const connecting = new Set(
  [
    'Dial',
    'RetryDial',
    'FollowMe',
    'Pickup',
    'PickupChan',
    'ParkedCall',
    'AppDial',
    'AppDial2',
    'AppQueue',
    'BridgeWait',
  ]
    .concat(['AppOriginate', 'SLAStation', 'SLATrunk', 'Bridge'])
    .map((name) => name.toLowerCase()),
);

const spying = new Set(['chanspy', 'extenspy']);

/** What an application means for the call of the channel that runs it. */
export type Meaning = 'passing' | 'connecting' | 'spying' | { readonly service: string };

/** What this application does. Names are compared without case, as the dialplan takes them (pbx_app.c). */
export function meaningOf(application: string): Meaning {
  const name = application.toLowerCase();
  if (name === '' || passing.has(name)) return 'passing';
  if (connecting.has(name)) return 'connecting';
  if (spying.has(name)) return 'spying';
  return { service: byApplication.get(name) ?? someService };
}
