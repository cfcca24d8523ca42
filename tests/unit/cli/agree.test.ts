import { describe, expect, it } from 'vitest';
import { agree } from '../../../cli/agree.ts';

const answering = (answer: string | undefined) => ({ interactive: true, ask: async () => answer });

describe('the confirmation of a failover', () => {
  it.each(['singapore', ' singapore ', 'singapore\r'])('is the name of the standby: %j', async (answer) => {
    await expect(agree(answering(answer), 'singapore')).resolves.toBeUndefined();
  });

  it.each(['', 'y', 'yes', 'mumbai', 'Singapore', 'singapor', undefined])('is no other answer: %j', async (answer) => {
    await expect(agree(answering(answer), 'singapore')).rejects.toMatchObject({ code: 'NotConfirmed', exitCode: 3 });
  });

  it('can not be given where nobody can be asked', async () => {
    const ask = () => Promise.reject(new Error('asked'));
    await expect(agree({ interactive: false, ask }, 'singapore')).rejects.toMatchObject({ exitCode: 4 });
  });
});
