/** Scripts that are run here and on redis-server: the replies must be equal byte by byte. One line each. */

/** Errors of the language, its libraries, and conversions to replies. */
export const languageAndConversions = String.raw`
error(nil)
local function f() return f() + 1 end return f()
table.sort({3,2,1},function() error('s') end)
return _VERSION
return {double=3.5}
return {1,2,nil,4}
return 3.99
return -3.99
return 1e300
return 0/0
return true
return false
return {map={a=1}}
return {set={a=1}}
return {big_number='123'}
return {ok='fine\nx'}
error('a\nb')
return {verbatim_string={format='txt',string='abc'}}
return {err='a\nb'}
return {err=5}
return {ok=5}
return string.rep('x',3e9)
return #string.rep('x',100000000)
error({err='x', source='@foo', line=3})
error({err='ERR x', ignore_error_stats_update=true})
return collectgarbage('count') > 1
return gcinfo() > 1
string.foo=1
string.format=1
table.insert(redis, 1)
return next(redis) ~= nil
return #redis
table.sort(redis)
table.remove(string)
setmetatable(string,{})
math.random = 5
return math.randomseed(5), math.random(1000)
math.randomseed(5) return {math.random(1000),math.random(1000),math.random(1000)}
return math.random(0)
return math.random(5,1)
return math.random(1,2,3)
return math.random(1,1e10)
return ('x'):rep(3)
return string.format('%q %s %d %5.2f %x','a\nb',1,2,3.14159,255)
return string.format('%d', 'x')
return string.rep()
return ('x'):bad()
return 1 + {}
return {} .. 'x'
return #5
return nil > 1
return {} < {}
local x = 'abc' + 1
for i = 1, 'x' do end
goto x
local t={} for i,v in ipairs(redis) do t[i]=v end return t
return {collectgarbage('nope')}
return string.format('%5d|%-5d|%05d|%e|%g|%c',1,2,3,1.5,2.5,65)
error(nil,2)
error('lvl2',2)
error('lvl0',0)
local function g() error('lv2',2) end g()
assert(false)
assert(false,'msg')
assert(nil,{err='tbl'})
return assert(1,2)
return {unpack({1,2,3})}
return {unpack({},1,1e7)}
return string.format('%d',5e9)
return string.format('%d',2^63)
return string.format('%x',-1)
return string.format('%5.3d|%+d|%u|%o|%X|%i',7,5e9,5e12,5e9,5e12,2^40)
return {string.format('%-20d|%020d|% d|%+d', 5e9, 5e9, 5e9, -5e9)}
return tonumber('ffffffffff',16)
return tonumber('zz',36)
return tonumber('0xff')
return tonumber('-ff',16)
return tonumber('0x1F',16)
return tonumber(' 11 ',2)
return tonumber('1',1)
return tonumber({},16)
return tonumber('1e1')
return bit.tohex(255,-4)
return {bit.band(255,15,7),bit.bor(1,2,4),bit.bxor(5,1),bit.bnot(0),bit.lshift(1,31),bit.rshift(-1,28),bit.arshift(-8,1),bit.rol(0x12345678,8),bit.ror(0x12345678,8),bit.bswap(0x12345678),bit.tobit(2^32+5),bit.tobit(1.5),bit.tobit(2.5)}
return bit.band()
return bit.band('x')
return bit.tohex(-1,100)
return {set={1,2}}
return {map={[1]='a',x={map={}}}}
return {verbatim_string={format='txt'}}
return {double='x'}
return {big_number=5}
return {err='x',ok='y'}
return {1,{2,{3,{4}}},'x',{ok='s'},{err='E r'}}
return function() end
return redis
return math.pi
return -0
return 2^53
return -2^53-1
return 2^63
return {nil,1}
return string.gfind('abc','b')()
return math.mod(5,3)
return table.getn({1,2})
return table.setn({},1)
local t={} table.foreach(redis, function(k,v) t[#t+1]=k end) table.sort(t) return t
local t={} for k in pairs(string) do t[#t+1]=k end table.sort(t) return t
local k,v = next(redis) return type(k)
return #'abc'
return ('abc'):upper()
return ('%d'):format(3)
return rawget(redis,'call') ~= nil
error(setmetatable({err='E x'},{}))
error(true)
return {err='',ok=1}
return {err=' '}
`

/** pcall, xpcall, coroutines. */
export const coroutinesAndErrors = `
return pcall(redis.call,'foo')
return {pcall(function() error('x') end)}
return {pcall(redis.call,'foo')}
return tostring(redis.pcall('foo').err)
local r=redis.pcall('foo') local t={} for k,v in pairs(r) do t[#t+1]=k..'='..tostring(v) end table.sort(t) return t
local ok,r=pcall(redis.call,'foo') local t={} for k,v in pairs(r) do t[#t+1]=k..'='..tostring(v) end table.sort(t) return t
return coroutine.wrap(function() return redis.call('ping') end)()
return {pcall(coroutine.yield)}
return coroutine.yield(1)
coroutine.yield(1) return 2
local co = coroutine.create(function() coroutine.yield(1) return 2 end) return {coroutine.resume(co), coroutine.resume(co)}
local co = coroutine.create(function() error('x') end) return {coroutine.resume(co)}
local co = coroutine.create(function() error({a=1}) end) return {select('#',coroutine.resume(co)), coroutine.status(co)}
return {xpcall(function() error('x') end, function(e) return 'H'..e end)}
return {xpcall(function() local a; a.b=1 end, function(e) error('y') end)}
return {xpcall(function() return 1,2,3 end, nil)}
return {pcall()}
return {xpcall()}
return pcall(error)
return {select('#',pcall(error)), select(2,pcall(error,{}))}
return {redis.pcall('lpush','k','v')}
return {pcall(setmetatable,redis,{})}
return {pcall(next,redis,'nokey')}
local f=coroutine.wrap(function() error('in') end) f()
local f=coroutine.wrap(function() redis.call('nope') end) f()
local f=coroutine.wrap(function() for i=1,2 do coroutine.yield(i) end end) return {f(),f(),f()}
return coroutine.running()
return {pcall(function() return coroutine.yield(5) end)}
local co; co=coroutine.create(function() return coroutine.resume(co) end) return {coroutine.resume(co)}
local function f() local ok,e=pcall(f) return e end return f()
local n=0 local function f() n=n+1 pcall(f) end f() return n
return {xpcall(function() redis.call('nope') end, function(e) return type(e) end)}
return {redis.pcall('nope')}
return coroutine.create(function() end)
return redis.pcall('set','x')
return redis.pcall()
return redis.pcall({})
local r = redis.pcall('incr','x','y') return r
local ok = pcall(function() redis.call('incr','h') end) return tostring(ok)
return pcall(redis.call,'incr','h')
`

/** The redis library. */
export const redisLibrary = String.raw`
return redis.setresp(4)
return redis.setresp()
return redis.log(1)
return redis.log('a','b')
return redis.log(9,'b')
return redis.sha1hex()
return redis.sha1hex('')
return redis.set_repl(9)
return redis.set_repl()
return redis.replicate_commands()
return redis.breakpoint()
return redis.debug('x')
return redis.acl_check_cmd('foo')
return redis.acl_check_cmd()
return redis.acl_check_cmd('get')
return redis.acl_check_cmd({})
return tostring(redis.acl_check_cmd('get','x'))
return redis.register_function('a',function() end)
return redis.status_reply('x y')
return redis.status_reply(5)
return redis.status_reply()
return redis.error_reply(5)
return redis.error_reply('')
return redis.error_reply('-')
return redis.error_reply('My Err')
return redis.error_reply('-My Err\r\n')
return redis.error_reply('-noSpace')
error(redis.error_reply('FOO bar'))
redis.call = nil
return redis.call('set','k','v')
return redis.call('set','k',12345678901234567890)
return redis.call('get','k')
return redis.call('set','k',1.5)
return redis.call('set','k',-0)
return redis.call('lpush','k','v')
return redis.call('subscribe','x')
return redis.call('multi')
return redis.call('blpop','nokey',0)
return redis.call('select',3)
return redis.call('config','get','maxmemory')
return redis.call('debug','sleep',0)
return redis.call('config')
return redis.call('config','nope')
return redis.call('set','x')
return redis.call('set','a','b','c')
return redis.call(1)
return redis.call({})
return redis.call('Get','k')
return redis.call('client','id')
return redis.call('hello')
return redis.call('auth','x')
return redis.call('time')[1] ~= nil
return redis.call('shutdown')
return redis.call('script','exists','a')
return redis.call('wait',0,0)
return redis.call('info','server') ~= nil
return redis.call('publish','a','b')
return redis.call('monitor')
return redis.call('nope\r\nx')
return redis.call('echo', true)
return redis.call('echo', nil)
return -redis.call('incr','cnt')
return redis.REDIS_VERSION
return redis.call('set','a','b').ok
return {redis.call('mget','a','zz')}
return redis.sha1hex(1,2)
return redis.sha1hex(12)
return {redis.setresp(3)}
redis.setresp(3) return redis.call('hgetall','nokey')
redis.call('hset','h','a','1') redis.setresp(3) return redis.call('hgetall','h')
redis.call('hset','h','a','1') redis.setresp(3) local r=redis.call('hgetall','h') local t={} for k,v in pairs(r) do t[#t+1]=k..type(v) end return t
redis.call('sadd','s','a') redis.setresp(3) return redis.call('smembers','s')
redis.call('zadd','z',1.5,'a') redis.setresp(3) return redis.call('zscore','z','a')
redis.call('zadd','z',1.5,'a') return redis.call('zscore','z','a')
redis.setresp(3) return redis.call('get','nokey')
redis.setresp(3) return {redis.call('get','nokey'),1}
redis.setresp(3) return true
redis.setresp(3) return false
redis.setresp(3) return nil
redis.setresp(3) return {double=1.5,map={}}
return redis.call('incrbyfloat','f',0.1)
return redis.call('lrange','nokey',0,-1)
return type(redis.call('lpop','nokey'))
return type(redis.call('ping'))
return redis.call('ping')['ok']
return redis.call('expire','nokey',1)
local x = redis.call('set','x',1); return x
return redis.call('object','encoding','nokey')
return redis.call('object')
return redis.call('command','count') > 0
table.foreach({1}, function(k,v) redis.call('set','tf',v) end) return redis.call('get','tf')
return redis.error_reply('a','b')
return redis.error_reply({})
return redis.status_reply('OK\r\nx')
redis.call('incr','h')
`

/** What scripts may see and change. */
export const sandbox = String.raw`
return getfenv
return loadstring('return 1')()
return loadstring('x=1')()
return {load(function() return nil end)}
return setmetatable({}, {__index=function(t,k) return k end})[5]
return getmetatable('').__index == string
local t={} for k in pairs(getmetatable('')) do t[#t+1]=k end return t
return rawget(_G,'nope') == nil
return _G.nope
_G.nope=1
table.insert(_G, 1)
KEYS[1]=5 return KEYS[1]
ARGV=1
KEYS=nil
rawset(math,'x',1)
return tostring(1e15)..tostring(0.1)..tostring(1e100)
return loadstring(string.dump(function() return 1 end))
return load(function() return '\27Lua' end)
return os.clock()
return _G.os
return rawget(_G,'os')
return {loadstring('return 1','x')}
return load(function() return nil end)
local n=0 return load(function() n=n+1 return ({'ret','urn ','5'})[n] end)()
getmetatable(_G).__index=nil return 1
getmetatable(_G).x=1
return _G._G == _G
return tostring(1/0)..tostring(-1/0)..tostring(0/0)
return tostring(_G[1])
return _G[{}]
return tostring(tonumber('8',8))
return tostring(tonumber(''))
return KEYS[1]
return ARGV[1]
return select('#', unpack(ARGV))
string.x = function() end
getmetatable('').__index.x = 1
return rawequal(_G,_G)
return type(rawget(_G,'redis'))
return tostring(redis):sub(1,6)
local mt = {__tostring=function() return 'TS' end} return tostring(setmetatable({},mt))
`

/** cjson, cmsgpack, struct. */
export const libraries = String.raw`
return cjson.encode({1,2,3})
return cjson.encode({})
return cjson.encode({a=1})
return cjson.encode('x/y"\\n')
return cjson.encode(1.5)
return cjson.encode(1/3)
return cjson.encode(1e15)
return cjson.encode(123456789012345)
return cjson.encode(12345678901234)
return cjson.encode(1e-5)
return cjson.encode(-0)
return cjson.encode({[1]=1,[100]=2})
return cjson.encode({[1]=1,[5]=2})
return cjson.encode(0/0)
return cjson.encode(1/0)
return cjson.encode(function() end)
return cjson.encode({[true]=1})
return cjson.encode({[1.5]=1})
return cjson.encode({[0]=1})
return cjson.encode()
return cjson.encode(1,2)
return cjson.encode(nil)
return cjson.encode(cjson.null)
return cjson.encode({cjson.null,true,false})
local t={} for i=1,1001 do t={t} end return cjson.encode(t)
local t={} for i=1,999 do t={t} end return #cjson.encode(t)
return cjson.decode('[1,2,[3],{"a":"b"}]')
return cjson.decode('{"a":1}')['a']
return tostring(cjson.decode('null'))
return cjson.decode('null') == cjson.null
return cjson.decode('"a\\u0041\\u00e9\\ud83d\\ude00\\n"')
return cjson.decode('"\\ud83d"')
return cjson.decode('"\\x"')
return cjson.decode('"abc')
return cjson.decode('')
return cjson.decode('[1,]')
return cjson.decode('[1 2]')
return cjson.decode('{1:2}')
return cjson.decode('{"a" 2}')
return cjson.decode('{"a":2')
return cjson.decode('{"a":2 "b"}')
return cjson.decode('tru')
return cjson.decode('1 2')
return tostring(cjson.decode('1e5'))
return tostring(cjson.decode('0x1F'))
return tostring(cjson.decode('nan'))
return tostring(cjson.decode('-inf'))
return tostring(cjson.decode('Infinity'))
return tostring(cjson.decode('01'))
return tostring(cjson.decode('.5'))
return tostring(cjson.decode('5.'))
return tostring(cjson.decode('-'))
return tostring(cjson.decode('+5'))
return tostring(cjson.decode('1.5e-3'))
return tostring(cjson.decode('12345678901234567890'))
return cjson.decode(string.rep('[',1001)..string.rep(']',1001))
return #cjson.decode(string.rep('[',1000)..string.rep(']',1000))
return cjson.decode(5)
return cjson.decode({})
return cjson.decode('a\0')
return cjson.decode('\0\0\0a')
return {cjson.encode_sparse_array()}
return {cjson.encode_sparse_array(true,3,5), cjson.encode_sparse_array(false,2,10)}
return cjson.encode_sparse_array('x')
return cjson.encode_sparse_array(true,-1)
return cjson.encode_sparse_array(1,2,3,4)
return {cjson.encode_max_depth(), cjson.decode_max_depth(), cjson.encode_number_precision()}
return cjson.encode_max_depth(0)
return cjson.encode_number_precision(15)
return {cjson.encode_keep_buffer(), cjson.encode_keep_buffer('off'), cjson.encode_keep_buffer(true)}
return {cjson.encode_invalid_numbers(), cjson.encode_invalid_numbers('null'), cjson.encode(0/0), cjson.encode_invalid_numbers(true), cjson.encode(1/0), cjson.encode_invalid_numbers(false)}
return {cjson.decode_invalid_numbers(), cjson.decode_invalid_numbers(false), pcall(cjson.decode,'0x10'), cjson.decode_invalid_numbers(true)}
cjson.encode_number_precision(3) local r = cjson.encode(3.14159) cjson.encode_number_precision(14) return r
cjson.encode_sparse_array(true) local r = cjson.encode({[1]=1,[100]=2}) cjson.encode_sparse_array(false) return r
local c = cjson.new() return c.encode({1})
return cjson.encode(redis.call('set','a','b'))
return cjson.encode('\127\1\200')
return cjson.encode({a={b={c={}}}})
return cjson.decode('[[]]')
return cjson.decode('[null]')[1] == cjson.null
return cjson.encode(cjson.decode('{"x":[1,2.5,"s",null,true]}')['x'])
return cmsgpack.pack(1)
return cmsgpack.pack(1,2,'a')
return cmsgpack.pack({1,2,3})
return cmsgpack.pack({a=1})
return cmsgpack.pack({})
return cmsgpack.pack(-1,-33,-129,-40000,-3e9,127,128,255,256,65535,65536,4294967295,4294967296,2^53,1.5,1e300,-1.25)
return cmsgpack.pack(true,false,nil)
return cmsgpack.pack(string.rep('a',31),string.rep('b',32),string.rep('c',256))
return #cmsgpack.pack(string.rep('a',70000))
return cmsgpack.pack()
return cmsgpack.pack(function() end)
return cmsgpack.pack({[1]=1,[3]=2})
return cmsgpack.pack({1,2,x=3})
local t={} for i=1,20 do t[i]=i end return cmsgpack.pack(t)
local t={} local r=t for i=1,20 do t.x={} t=t.x end return cmsgpack.pack(r)
return cmsgpack.unpack(cmsgpack.pack({1,2,{a='b'}}))
return {cmsgpack.unpack(cmsgpack.pack(1,2,3))}
return cmsgpack.unpack('')
return cmsgpack.unpack('\146\1')
return cmsgpack.unpack('\193')
return cmsgpack.unpack(5)
return cmsgpack.unpack({})
return {cmsgpack.unpack_one(cmsgpack.pack(1,2,3))}
return {cmsgpack.unpack_one(cmsgpack.pack(1,2,3),1)}
return {cmsgpack.unpack_one(cmsgpack.pack(1,2,3),3)}
return {cmsgpack.unpack_limit(cmsgpack.pack(1,2,3),2)}
return {cmsgpack.unpack_limit(cmsgpack.pack(1,2,3),2,1)}
return cmsgpack.unpack_limit('a',-1)
return cmsgpack.unpack_limit('a',1,-5)
return cmsgpack.unpack_limit('a',1,5)
return cmsgpack.unpack_limit('a')
return cmsgpack.unpack('\202\63\192\0\0')
return tostring(cmsgpack.unpack('\203\63\248\0\0\0\0\0\0'))
return tostring(cmsgpack.unpack('\211\255\255\255\255\255\255\255\255'))
return tostring(cmsgpack.unpack('\207\255\255\255\255\255\255\255\255'))
return cmsgpack.unpack('\217\3abc')
return cmsgpack.unpack('\196\3abc')
return cmsgpack.unpack('\129\161a\1')['a']
return {cmsgpack._NAME,cmsgpack._VERSION}
return struct.pack('>I',1)
return struct.pack('<I2',258)
return struct.pack('bBhHlLi4I8',-1,255,-2,65535,-3,4,5,6)
return struct.pack('s','abc')
return struct.pack('c3','abcdef')
return struct.pack('c0','abc')
return struct.pack('c5','abc')
return struct.pack('fd',1.5,2.5)
return struct.pack('>fd',1.5,2.5)
return struct.pack('!4bi',1,2)
return struct.pack('!bd',1,2)
return struct.pack('xb',1)
return struct.pack('z',1)
return struct.pack('i')
return struct.pack('i','x')
return struct.pack('I33',1)
return struct.pack('I9',1)
return struct.pack('!3b',1)
return struct.pack('i5',1)
return struct.size('i')
return struct.size('!8bd')
return struct.size('s')
return struct.size('c0')
return struct.size('bhilfd')
return struct.size('c10i3')
return {struct.unpack('>I','\0\0\1\2')}
return {struct.unpack('<i2','\254\255')}
return {struct.unpack('s','abc\0def')}
return {struct.unpack('bc0','\3abcdef')}
return {struct.unpack('c3','abcdef')}
return {struct.unpack('c0','abc')}
return {struct.unpack('s','abc')}
return {struct.unpack('I','abc')}
return {struct.unpack('bb','\1\2',2)}
return {struct.unpack('b','\1',0)}
return {struct.unpack('b','\1',2)}
return {struct.unpack('b','\1',5)}
return {tostring(struct.unpack('d',struct.pack('d',1.25)))}
return {tostring(struct.unpack('f',struct.pack('f',1.25)))}
return {tostring(struct.unpack('I8',struct.pack('I8',2^40)))}
return {tostring(struct.unpack('i8',struct.pack('i8',-5)))}
return {struct.unpack('>i3','\255\255\254')}
return struct.pack(' < i2 > i2 ',1,1)
return struct.pack('i0',1)
return struct.pack('!0i',1)
return struct.pack('=i4',1)
return struct.pack('T',5)
return struct.pack('c',5)
return struct.pack('b',300)
return struct.pack('i99999999999',1)
return struct.size('c2147483647c2147483647')
return struct.unpack('c4294967295','a')
`
