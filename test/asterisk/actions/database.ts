import { lines } from '../pbx/event.ts';
import type { Action } from './define.ts';

/** Actions on the AstDB. */
export const databaseActions: readonly Action[] = [
  {
    name: 'DBGet',
    synopsis: 'Get DB Entry.',
    privilege: ['system', 'reporting'],
    run({ pbx, header, list, error }) {
      const [family, key] = [header('Family'), header('Key')];
      const value = pbx.database.get(`${family}/${key}`);
      const problem = incomplete(family, key);
      if (problem !== undefined) error(problem);
      else if (value === undefined) error('Database entry not found');
      else {
        const body = lines([
          ['Family', family],
          ['Key', key],
          ['Val', value],
        ]);
        list('Result will follow', 'DBGetComplete', [{ event: 'DBGetResponse', body, idLast: true }]);
      }
    },
  },
  {
    name: 'DBGetTree',
    synopsis: 'Get DB entries, optionally at a particular family/key',
    privilege: ['system', 'reporting'],
    run({ pbx, header, list }) {
      const [family, key] = [header('Family'), header('Key')];
      const under = [family, key].filter((part) => part !== '').join('/');
      const items = [...pbx.database]
        .filter(([path]) => under === '' || path === under || path.startsWith(`${under}/`))
        .map(([path, value]) => {
          const body = lines([
            ['Key', `/${path}`],
            ['Val', value],
          ]);
          return { event: 'DBGetTreeResponse', body, idLast: true };
        });
      list('Result will follow', 'DBGetTreeComplete', items);
    },
  },
  {
    name: 'DBPut',
    synopsis: 'Put DB entry.',
    privilege: ['system'],
    run({ pbx, header, ok, error }) {
      const problem = incomplete(header('Family'), header('Key'));
      if (problem !== undefined) {
        error(problem);
        return;
      }
      pbx.database.set(`${header('Family')}/${header('Key')}`, header('Val'));
      ok('Updated database successfully');
    },
  },
  {
    name: 'DBDel',
    synopsis: 'Delete DB entry.',
    privilege: ['system'],
    run({ pbx, header, ok, error }) {
      const problem = incomplete(header('Family'), header('Key'));
      if (problem !== undefined) error(problem);
      else if (pbx.database.delete(`${header('Family')}/${header('Key')}`)) ok('Key deleted successfully');
      else error('Database entry could not be deleted');
    },
  },
];

function incomplete(family: string, key: string): string | undefined {
  if (family === '') return 'No family specified.';
  return key === '' ? 'No key specified.' : undefined;
}
