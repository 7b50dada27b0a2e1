import { choice, flag, json, text } from './option.ts'
import { type MemberUser, memberProfile, memberUsers, type ProfileOverrides } from './shape.ts'

const noUsers: readonly MemberUser[] = []
const noProfile: ProfileOverrides = {}
const usersForm = 'a list such as [{"username":"ann","password":"…","profile":{"can_host":true}}]'
const profileForm = 'a map such as {"can_host":false}'

/** Who may log in. */
export const member = {
  'member.provider': choice({
    default: 'multiuser',
    choices: ['multiuser', 'object', 'file', 'noauth', 'redis'],
    room: true,
    about: 'Where members come from; redis (ours) keeps them in the store, for many control planes',
  }),
  'member.file.path': text({ default: '', about: 'JSON file of the provider file', form: 'a path' }),
  'member.file.hash': flag({ default: true, about: 'Passwords in the file are hashed (SHA-256, base64)' }),
  'member.object.users': json({
    default: noUsers,
    secret: true,
    about: 'Members of the provider object',
    form: usersForm,
    shape: memberUsers,
  }),
  'member.multiuser.user_password': text({
    default: 'neko',
    secret: true,
    room: true,
    about: 'Password of users; the default is accepted on loopback only',
  }),
  'member.multiuser.admin_password': text({
    default: 'admin',
    secret: true,
    room: true,
    about: 'Password of admins; the default is accepted on loopback only',
  }),
  'member.multiuser.user_profile': json({
    default: noProfile,
    room: true,
    about: 'What users may do, over the defaults',
    form: profileForm,
    shape: memberProfile,
  }),
  'member.multiuser.admin_profile': json({
    default: noProfile,
    room: true,
    about: 'What admins may do, over the defaults',
    form: profileForm,
    shape: memberProfile,
  }),
  'member.redis.users': json({
    default: noUsers,
    secret: true,
    since: 'edge',
    about: 'Members that the provider redis creates when it knows none',
    form: usersForm,
    shape: memberUsers,
  }),
} as const
