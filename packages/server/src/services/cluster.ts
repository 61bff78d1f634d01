// etcdserverpb.Cluster: who the members are, and changes of that. Rules and errors are etcd's. A change is planned on what this member has
// applied, and taken by the leader only if that is still so (replica/membership-changes.ts); any member can make one.
import { type MemberId, hexId, memberId } from '@distrokv/base';
import type { Handlers } from '@distrokv/grpc';
import { ApiError } from '@distrokv/mvcc';
import { etcdserverpb as pb } from '@distrokv/proto';
import type { Configuration, TargetConfiguration } from '@distrokv/raft';
import { parseEndpointUrl, serverDefaults } from '../config.ts';
import { noLeader } from '../replica/errors.ts';
import type { JoinedAs } from '../transport.ts';
import { type ServiceContext, answer, header } from './context.ts';
import { activeVoters, enoughStarted } from './quorum-rules.ts';

/** A learner may vote when it has this part of the leader's log. */
const READY_PART = 0.9;

export class ClusterService {
  readonly #context: ServiceContext;

  constructor(context: ServiceContext) {
    this.#context = context;
  }

  get handlers(): Handlers<typeof pb.Cluster> {
    const context = this.#context;
    // The headers of this service carry no revision, as in etcd.
    const body = () => ({ header: header(context, 0), members: context.store.members });
    return {
      memberList: (request, call) =>
        answer(context, call, async () => {
          if (request.linearizable) await context.replica.linearize();
          return pb.MemberListResponse.create(body());
        }),
      memberAdd: (request, call) =>
        answer(context, call, async () => {
          const id = await this.#add(request.peerURLs, request.isLearner);
          return pb.MemberAddResponse.create({ ...body(), member: context.store.members.find((m) => m.id === id) });
        }),
      memberRemove: (request, call) =>
        answer(context, call, async () => {
          await this.#remove(memberId(request.id));
          return pb.MemberRemoveResponse.create(body());
        }),
      memberUpdate: (request, call) =>
        answer(context, call, async () => {
          await this.#update(memberId(request.id), request.peerURLs);
          return pb.MemberUpdateResponse.create(body());
        }),
      memberPromote: (request, call) =>
        answer(context, call, async () => {
          await this.promote(memberId(request.id));
          return pb.MemberPromoteResponse.create(body());
        }),
    };
  }

  async #add(peerURLs: readonly string[], isLearner: boolean): Promise<MemberId> {
    checkUrls(peerURLs);
    const id = this.#newId();
    await this.#context.replica.changeMembers((now) => {
      this.#checkUrlsAreFree(now, peerURLs);
      if (isLearner && now.learners.length >= (this.#context.config.maxLearners ?? serverDefaults.maxLearners))
        throw new ApiError('too-many-learners');
      if (!isLearner) this.#checkMayAddVoter(now);
      // It votes as soon as it has the log; until then it costs the cluster nothing.
      return withMember(now, id, isLearner ? 'learner' : 'joining', peerURLs);
    });
    return id;
  }

  /** A random one: an id that was used never comes back. */
  #newId(): MemberId {
    const { env, store } = this.#context;
    for (;;) {
      const id = memberId((BigInt(env.random.uint32()) << 32n) | BigInt(env.random.uint32()));
      if (id !== 0n && !store.isRemoved(id) && !store.members.some((m) => m.id === id)) return id;
    }
  }

  #remove(id: MemberId): Promise<void> {
    return this.#context.replica.changeMembers((now) => {
      if (!now.addresses.has(id)) throw new ApiError('member-not-found');
      if (now.voters.every((voter) => voter === id)) throw new ApiError('not-enough-started-members'); // nobody would be left to decide
      if (now.voters.includes(id)) this.#checkMayRemoveVoter(now, id);
      return withoutMember(now, id);
    });
  }

  #update(id: MemberId, peerURLs: readonly string[]): Promise<void> {
    checkUrls(peerURLs);
    return this.#context.replica.changeMembers((now) => {
      if (!now.addresses.has(id)) throw new ApiError('member-not-found');
      this.#checkUrlsAreFree(now, peerURLs, id);
      return { ...now, addresses: new Map([...now.addresses, [id, peerURLs]]) };
    });
  }

  /** Makes a learner a voter. Only the leader knows how far it is, so another member hands the request on. */
  async promote(id: MemberId): Promise<void> {
    const { replica, peers, memberId: own } = this.#context;
    const { leader } = replica;
    if (leader === undefined) throw noLeader();
    if (leader !== own) {
      await peers.promote(leader, id);
      await replica.linearize(); // What is told of the members is to show it.
      return;
    }
    await replica.changeMembers((now) => {
      if (!now.addresses.has(id)) throw new ApiError('member-not-found');
      if (!now.learners.includes(id)) throw new ApiError('not-learner');
      const { match, lastIndex } = replica.status;
      if ((match.get(id) ?? 0) < READY_PART * lastIndex) throw new ApiError('learner-not-ready');
      this.#checkMayAddVoter(now);
      return withMember(now, id, 'voter', now.addresses.get(id) ?? []);
    });
  }

  /** A new member asks who it is; see `join.ts`. */
  async join(peerURLs: readonly string[], replace: boolean): Promise<JoinedAs> {
    checkUrls(peerURLs);
    const { replica, store, clusterId } = this.#context;
    // The vote of a member may be needed to commit that it is one: so it is told who it is as soon as that is in the log.
    const coming = replace ? undefined : this.#comingAt(peerURLs);
    if (coming !== undefined) return { clusterId, memberId: coming };
    await replica.linearize();
    const known = store.members.find((m) => m.peerURLs.toSorted().join() === peerURLs.toSorted().join());
    if (!known) throw new ApiError('member-not-found');
    // A member without a name has not told it yet; it may have run for all that, so who lost its disk is never given its id.
    if (known.name === '' && !replace) return { clusterId, memberId: memberId(known.id) };
    // It has run before, and two must not be the same member; nor has this one lost its disk.
    if (!replace || known.id === this.#context.memberId) throw new ApiError('member-exists');
    const id = this.#newId();
    await replica.changeMembers((now) => {
      const old = memberId(known.id);
      if (!now.addresses.has(old)) throw new ApiError('member-not-found');
      this.#context.logger.warn('a member whose disk was lost is replaced', { old: hexId(old), new: hexId(id) });
      return withMember(withoutMember(now, old), id, now.learners.includes(old) ? 'learner' : 'joining', peerURLs);
    });
    return { clusterId, memberId: id };
  }

  /** Who is added at these URLs by a change that is in this member's log, and not applied yet. */
  #comingAt(peerURLs: readonly string[]): MemberId | undefined {
    const { replica, store } = this.#context;
    const wanted = peerURLs.toSorted().join();
    for (const [id, urls] of replica.status.configuration.addresses)
      if (urls.toSorted().join() === wanted && !store.members.some((m) => m.id === id)) return id;
    return undefined;
  }

  #checkUrlsAreFree(now: Configuration, peerURLs: readonly string[], self?: MemberId): void {
    for (const [id, urls] of now.addresses)
      if (id !== self && urls.some((url) => peerURLs.includes(url))) throw new ApiError('peer-urls-exist');
  }

  get #isStrict(): boolean {
    return this.#context.config.strictReconfigCheck !== false;
  }

  #checkMayAddVoter(now: Configuration): void {
    if (!this.#isStrict) return;
    if (!enoughStarted(this.#context, [...now.voters, ...now.joining], 1)) throw new ApiError('not-enough-started-members');
    if (activeVoters(this.#context, now.voters) < now.voters.length) throw new ApiError('unhealthy');
  }

  #checkMayRemoveVoter(now: Configuration, id: MemberId): void {
    if (!this.#isStrict) return;
    const { peers, memberId: own } = this.#context;
    const staying = now.voters.filter((voter) => voter !== id);
    if (!enoughStarted(this.#context, staying, 0)) throw new ApiError('not-enough-started-members');
    if (id !== own && peers.connectedSinceMs(id) === undefined) return; // It is down: no quorum has it.
    const active = activeVoters(this.#context, now.voters);
    if (active - 1 < 1 + Math.floor((now.voters.length - 1) / 2)) throw new ApiError('unhealthy');
  }
}

function checkUrls(peerURLs: readonly string[]): void {
  try {
    if (peerURLs.length === 0 || new Set(peerURLs).size < peerURLs.length) throw new Error('none, or one twice');
    for (const url of peerURLs) parseEndpointUrl(url, 'a peer URL');
  } catch (cause) {
    throw new ApiError('bad-member-urls', { cause });
  }
}

function withMember(
  now: TargetConfiguration,
  id: MemberId,
  role: 'voter' | 'learner' | 'joining',
  urls: readonly string[],
): TargetConfiguration {
  const { voters, learners, joining, addresses } = withoutMember(now, id);
  return {
    voters: role === 'voter' ? [...voters, id] : voters,
    learners: role === 'learner' ? [...learners, id] : learners,
    joining: role === 'joining' ? [...joining, id] : joining,
    addresses: new Map([...addresses, [id, urls]]),
  };
}

function withoutMember({ voters, learners, joining, addresses }: TargetConfiguration, id: MemberId): TargetConfiguration {
  const others = (list: readonly MemberId[]): MemberId[] => list.filter((each) => each !== id);
  const staying = new Map([...addresses].filter(([each]) => each !== id));
  return { voters: others(voters), learners: others(learners), joining: others(joining), addresses: staying };
}
