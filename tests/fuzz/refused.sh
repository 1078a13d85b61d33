# refused.sh - of corpus.sh, in its folder: inputs that readers refuse, or take with a warning, one for each message of theirs.

# each HARNESS PREFIX: a file for each line of standard input, with the prefix before it; both as printf %b takes them, parts end with \036.
each() {
	line=0
	while IFS= read -r text; do
		line=$((line + 1))
		printf '%b%b' "$2" "$text" >"$1/refused-$line-$(printf '%s' "$2" | cksum | cut -d ' ' -f 1)"
	done
}
# repeat N TEXT
repeat() { awk -v n="$1" -v text="$2" 'BEGIN { for (i = 0; i < n; i++) printf "%s", text }'; }

# ---------------------------------------------------------------- settings
each ini '' <<'END'
[a\n
[a b]\n
[]\n
[a] x\n
[a]\nk = "x\n
[a]\nk = "x" y\n
[a]\nk = "x" ; y\n
[a]\nk = x\\y\n
[a]\nk = x\\\n
[a]\nnonsense\n
[a]\nk! = 1\n
k = 1\n
[a]\nk = \0000 1\n
[a]\nk = \0001\n
[a]\nk = 1\nk = 2\n
\0377\0376[\0000a\0000
[learner]\nguide_steps = 4\nguide_weight = -1\n
[learner]\nguide_training = yes\n
[learnr]\nbatch = 8\n
[xyzzyx]\nq = 8\n
[qqqqqqq]\n
[learner]\nbtch = 8\n
[learner]\nzzzzqqqzzz = 3\n
[learner]\nthreads = 3\n
END
printf '[a]\nk = %s\n' "$(repeat 1001 x)" >ini/long
{ printf '[a]\n' && awk 'BEGIN { for (i = 0; i < 4200; i++) print "k" i "=1" }'; } >ini/many
each ini '[a]\n' <<'END'
i = x\n
i = 9999\n
i = 99999999999999999999\n
j = x\n
n = x\n
n = 99999999999999999999\n
f = 7\n
f = "nan"\n
g = -1\n
h = 7\n
o = 0\n
b = maybe\n
p =\n
p = ./x\n
c = cauchy\n
l = cauchy(1)\n
l = laplace(x)\n
r =\n
END
each set '' <<'END'
a.i
ab=1
a b.c=1
.c=1
a.=1
a.s=x\ty
a.i=x
a.f=7
a.j=x
a.b=maybe\036a.c=cauchy\036a.l=x(1)
learnr.batch=8
learner.btch=8
learner.batch=8\036learner.batch=9
learner.guide_steps=3
learner.iterations=9\036run.minutes=2
learner.iterations=9\036run.minutes=0
END
each value '' <<'END'
learner.x_steps=
learner.x_steps
x_steps=1,2
learner.x_steps=1,,2
learner.x_steps=1,1
learner.x_steps= 1 , 2 
a.b=laplace(1
a.b=laplace)1(
a.b=x/y,x?y
seed=1,2
run.seed=1,2
0,x
99999999999
{label}{group}\n7_jackson_32
{label\n7
{}{label}\nab
{x}\n7
train
valid
\0377\0376
\0360\0237\0230\0200 \0303( \0355\0240\0200
END

printf 'a.b=%s,%s1' "$(repeat 220 x)" "$(repeat 220 x)" >value/long
printf 'a.b=0%s' "$(awk 'BEGIN { for (i = 1; i < 4000; i++) printf ",%d", i }')" >value/points

# ---------------------------------------------------------------- tensors: a header behind its length, then data
tensors() { # NAME DATA, the header from standard input
	header=$(cat)
	length=${#header}
	printf "\\$(printf %o $((length % 256)))\\$(printf %o $((length / 256)))\\0\\0\\0\\0\\0\\0%s%b" "$header" "$2" >"safetensors/$1"
}
n=0
while IFS= read -r header; do
	n=$((n + 1))
	printf '%s' "$header" | tensors "refused-$n" '\0001\0002\0003\0004'
done <<'END'
[1]
{"a":1}
{"a":{"dtype":"F32","shape":[1]}}
{"a":{"dtype":"F99","shape":[1],"data_offsets":[0,4]}}
{"a":{"dtype":7,"shape":[1],"data_offsets":[0,4]}}
{"a":{"dtype":"F32","shape":1,"data_offsets":[0,4]}}
{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}
{"a":{"dtype":"F32","shape":["x"],"data_offsets":[0,4]}}
{"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,4]}}
{"a":{"dtype":"F32","shape":[1,1,1,1,1,1,1,1,1,1],"data_offsets":[0,4]}}
{"a":{"dtype":"F32","shape":[9007199254740992,9007199254740992],"data_offsets":[0,4]}}
{"a":{"dtype":"F32","shape":[1],"data_offsets":[0]}}
{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}
{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}
{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}
{"a":{"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]}}
{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}
{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[3],"data_offsets":[1,4]}}
{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"U8","shape":[1],"data_offsets":[3,4]}}
{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"a":{"dtype":"U8","shape":[2],"data_offsets":[2,4]}}
{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"b":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}
{"__metadata__":1}
{"__metadata__":{"a":1}}
{"__metadata__":{"a":"1","a":"2"}}
{"__metadata__":{},"__metadata__":{}}
{"__metadata__":{"mmcore.crc32":"00000000"},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}
{"__metadata__":{"mmcore.crc32":"x"},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}
{"__metadata__":{"mmcore.checkpoint":"2","mmcore.crc32":"00000000"},"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}
{"__metadata__":{"mmcore.checkpoint":"1","mmcore.crc32":"00000000"},"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}
{"__metadata__":{"mmcore.checkpoint":"1"},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}
{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}} x
{"a":[[[[[[1]]]]]]}
{"a":nonsense}
END
printf '{"a":"x\001y"}' | tensors control ''
printf '{"a":"x\\u0000y"}' | tensors nul ''
printf '{"%s":1}' "$(repeat 200 n)" | tensors name ''
printf 'short' >safetensors/short
printf '\377\377\377\377\377\377\377\377{}' >safetensors/length
printf '\001\000\000\000\000\000\000\000{' >safetensors/open
each report '' <<'END'
[]
{"figures":7}
{"split":1,"count":"x","figures":[{"figure":1}]}
{"figures":[{"figure":"nll","of":"m0","variant":"","value":1e999}]}
{"figures":[{"figure":"cross entropy","of":"m0 -> m1","variant":"a","value":1},{"figure":"cross entropy","of":"m1 -> m0","variant":"a","value":2}]}
{"judge":"x","seed":3,"figures":[{"figure":"f","of":"a","variant":"generator","value":1},{"figure":"f","of":"a","variant":"guided","value":-1e9}]}
{"a":[[[[[[[[[[1]]]]]]]]]]}
{"a":"x\0001y"}
{"a":1} x
END

# ---------------------------------------------------------------- tables
each csv '' <<'END'
\n\n
"a
"a"b,c\n
a,b\n1\n
iteration,seconds,"a,b",loss\n1,0.5,3,4\nx
iteration,seconds,"a,b",loss\n60,0.5,3,4\n61,1,1,1\n
iteration,seconds,"a,b",lost\n1,0.5,3,4\n
iteration,loss\nx,y\n1,nan\n2,\n
name\nx\n
name,value\nx,y\n
name,value\nwindow,\nloss,1e400\n
END
each list '0' <<'END'

m0\n
m0,m0\n1 0 1 0 1 0 1 0,1 0 1 0 1 0 1 0\n
note,m2\nx,y\n
m0,m1\n1 0 1,2\n
m0,m1\n"",1 0 1 0 1 0 1 0\n
m0,m1\n,\n
m0,m1\n@none.txt,a.txt\n
m0,m1\na.txt\n
m0,m1\n"a.txt","1 0 1 0 1 0 1 0"\n
m1\n1 0 1 0 1 0 1 0\n
END
each list '1' <<'END'
m0
m2=a.txt
m0=
m0=a.txt,
m0=a.txt,a.txt\036m1=a.txt,a.txt,a.txt
m0=@a.txt\036m1=@none.txt
m0=none.txt
m0="1 0 1 0 1 0 1 0"
m0=1 0 1 0 1 0 1 0,0 0 0 0 0 0 0 0
m0,m1
m0,m0
m1,
END
each entries '\0000\036\036\036\036' <<'END'

image\n
caption\nx\n
image,photo\na.png,b.png\n
image,label\na.png\n
image\n../a.png\n
image\na.txt\n
file\na.xyz\n
image,split\na.png,perhaps\n
key,image,caption\nk,a.png,x\nk,,y\nk,b.png,z\n
key,image,label\nk,a.png,x\nk,,y\n
key,image,split\nk,a.png,train\nk,,test\n
key,image,group\nk,a.png,g\nk,,h\n
other,image\n1,a.png\n
"image
END
each entries '' <<'END'
\0001\036\036\036\036{"image":"a.png","caption":["one","two",3,null]}\n
\0001\036\036\036\036{"image":null,"x":1}\n
\0001\036\036\036\036nonsense\n
\0001\036\036\036\036{"x":1}\n
\0000photo\036\036\036\036image\na.png\n
\0000photo\036\036\036\036photo,image\na.png,b.png\n
\0000\036{label}_{}\036\036\036file\nx.png\n1_a.png\n
\0000\036{label}_{}\036\036\036file\nx.png\ny.png\n
\0000\036\036nothing*\036\036file\nx.png\ny.png\n
\0000\036\036*\036\036file\nx.png\ny.png\n
\0000\036\036\036nobody\036file,group\nx.png,g\ny.png,h\n
\0022\036\036\036\036file,group\nx.png,g\ny.png,g\nz.png,h\n
\0044\036\036\036\036file\nc/x.png\nd/y.png\nz.png\n
\0110\036\036\036\036file\nx.png\n
\0111\036\036\036\036{"file":"x.png"}\n
END
each files '' <<'END'
\0000\036\036\036a.png\036a.jpg\036b.png
\0000\036\036\036a.gif
\0000\036\036\036a.xyz
\0000\036\036\036
\0000\036\036\036train/a.png\036b.png
\0022\036\036\036cat/a.png\036dog/b.png
\0022\036\036\036a.png
\0022\036\036\036cat/a.png\036cat/a.txt
\0024\036\036\036cat/a.txt\036dog/b.txt
\0044\036\036\036a.png\036b.png
\0044\036\036\036a.gif
\0045\036\036\036a.wav
\0000{label}_{}\036\036\036x.png\036y.png
\0000{label}_{}\036\036\0361_x.png\036y.png
\0000\036a*\036\036a.png\036b.png
\0000\036\036\036../a.png\036.hidden/b.png\036c/.d.png\036e.PNG
\0000\036\036\036x/a.png\036y/a.png\036x/a.txt\036y/a.txt
\0000\036\036\036valid/a.png\036train/b.png\036test/c.png
END

# ---------------------------------------------------------------- captions
each captions '\0000' <<'END'
x\n
1 ../a.png\n
2 a/b.jpg\n1 a/c.jpg\n
1 a/b.jpg\n\0362 1\n
1 a/b.jpg\n\0361 2\n
1 a/b.jpg\n\0361 x\n
1 a/b.jpg\n2 a/c.jpg\n\0361 1\n
1 a/b.jpg\n\0361 1\n\0361 0\n\0361 x\n
1 a/b.jpg\n\0361 1\n\0361 7\n\0361 x\n
1 a/b.jpg\n\0361 1\n\0361 1\n\0361000001 x\n
1 a\0000b.jpg\n
1 a/d.jpg\n\0361 1\n\036\036\036x\n
1 a/b.jpg\n\0361 1\n\036\036\036\n \n
END
each captions '\0001' <<'END'
one\ntwo\n
END
{ printf '\001' && awk 'BEGIN { for (i = 0; i < 21; i++) print "caption " i }'; } >captions/folders-more
each captions '\0002' <<'END'
[]
{"images":1}
{"images":[],"annotations":1}
{"images":[1,{"id":1},{"id":"x"},{"id":2,"file_name":"../a.jpg"}],"annotations":[2,{"id":3},{"id":"007","image_id":1}]}
{"images":[{"id":1,"file_name":"a.jpg"},{"id":1,"file_name":"b.jpg"},{"id":"007","file_name":"c.jpg"}],"annotations":[{"image_id":9,"caption":"x"}]}
{"images":[{"id":"b","file_name":"a.jpg"},{"id":"a","file_name":"b.jpg"}],"annotations":[{"image_id":"a","caption":"x"},{"image_id":"a","id":2,"caption":"y"},{"image_id":"b","id":"b","caption":"z"}]}
{"images":[{"id":123456789012345678,"file_name":"a.jpg"},{"id":-1.5e3,"file_name":"b.jpg"}],"annotations":[{"image_id":123456789012345678,"id":12345678901234567890,"caption":"\\ud800"}]}
nonsense
END

# ---------------------------------------------------------------- word vectors, states
each vectors '\0000' <<'END'

3 0\na\n
2 1001\na 1\n
3 4\na 1 2 3\n
a 1 2\nb 1 2 3\n
a 1 x\n
a nan 1\n
a 1e99 1\n
a\n
999999999999 3\na 1 2 3\n
2 3\ncat \0000\0000\0200\0077
2 3\ncat \0000\0000\0200\0177\0000\0000\0200\0177\0000\0000\0200\0177\ndog 
unknown 1 2\nother 1 2\n
a 1 2\na 3 4\nb 1 2\n
\0037\0213\0010\0000x
END
printf '\013a 1 2 3 4\n' >vectors/dim
printf '\000a %s\n' "$(repeat 40000 '1 ')" >vectors/long
printf '\000%s 1 2\na 1 2\n' "$(repeat 300 w)" >vectors/word
state() { printf '%b%b%b' "$1" "$2" "$3"; } # how and its length; the state; a caption
head='mmtxt 1\n'
state '\0001\0000\0044' "${head}\0001\0000\0000\0000\0007\0000\0000\0000\0000\0000\0000\0000\0005\0000\0000\0000\0003\0000\0000\0000cat\0000dog\0000" 'cat' >state/length
state '\0001\0000\0044' "${head}\0000\0000\0000\0000\0010\0000\0000\0000\0004\0000\0000\0000\0005\0000\0000\0000\0003\0000\0000\0000cat\0000dog\0000" 'cat' >state/representation
state '\0001\0000\0044' "${head}\0001\0000\0000\0000\0010\0000\0000\0000\0004\0000\0000\0000\0005\0000\0000\0000\0003\0000\0000\0000cat\0000dog\0000" 'cat' >state/dim
state '\0001\0000\0044' "${head}\0007\0000\0000\0000\0010\0000\0000\0000\0000\0000\0000\0000\0005\0000\0000\0000\0003\0000\0000\0000cat\0000dog\0000" 'cat' >state/numbers
state '\0001\0000\0044' "${head}\0001\0000\0000\0000\0010\0000\0000\0000\0000\0000\0000\0000\0377\0000\0000\0000\0003\0000\0000\0000cat\0000dog\0000" 'cat' >state/words
state '\0001\0000\0044' "${head}\0001\0000\0000\0000\0010\0000\0000\0000\0000\0000\0000\0000\0005\0000\0000\0000\0003\0000\0000\0000\0000at\0000dog\0000" 'cat' >state/word
state '\0000\0000\0044' "${head}\0000\0000\0000\0000\0010\0000\0000\0000\0004\0000\0000\0000\0005\0000\0000\0000\0003\0000\0000\0000cat\0000dog\0000" 'cat' >state/vectors
{
	state '\0000\0000\0164' "${head}\0000\0000\0000\0000\0010\0000\0000\0000\0004\0000\0000\0000\0005\0000\0000\0000\0003\0000\0000\0000cat\0000dog\0000" ''
	for i in 1 2 3 4 5; do printf '\000\000\200\177\000\000\000\100\000\000\000\000\000\000\000\000'; done
	printf 'cat dog'
} >state/infinite
state '\0001\0000\0005' 'other' 'cat' >state/other
good="${head}\0001\0000\0000\0000\0010\0000\0000\0000\0000\0000\0000\0000\0005\0000\0000\0000\0003\0000\0000\0000cat\0000dog\0000"
n=0
while IFS= read -r caption; do
	n=$((n + 1))
	state '\0001\0000\0044' "$good" "$caption" >state/caption-$n
	state '\0003\0000\0044' "$good" "$caption" >state/join-$n
done <<'END'

bird
cat bird
cat dog cat dog cat dog cat dog cat dog
cat\ndog\n
cat\0000dog
 \t\n cat, dog! don't
END
state '\0001\0000\0044' "$good" "cat $(repeat 70000 x)" >state/long

# ---------------------------------------------------------------- pictures, sounds
each png '' <<'END'

GIF89a\0001\0000\0001\0000
BM\0000\0000\0000\0000
RIFF\0020\0000\0000\0000WEBPVP8 
nonsense
\0211PNG\r\n\0032\n
\0211PNG\r\n\0032\n\0000\0000\0000\0015IHDR
\0211PNG\r\n\0032\n\0000\0000\0000\0015IHDR\0000\0001\0000\0001\0000\0001\0000\0001\0010\0002\0000\0000\0000\0033\0147\0167\0021
END
for file in png/rgb.png png/palette.png; do
	head -c $(($(wc -c <$file) / 2)) $file >png/cut-"${file##*/}"
	{ head -c 60 $file && printf 'XXXX' && tail -c +65 $file; } >png/damaged-"${file##*/}"
done
for file in jpeg/*.jpg; do
	[ -e "$file" ] || continue
	size=$(wc -c <"$file")
	head -c $((size / 2)) "$file" >jpeg/cut-"${file##*/}"
	{ head -c $((size / 2)) "$file" && printf '\377\377\000\123' && tail -c +$((size / 2 + 5)) "$file"; } >jpeg/damaged-"${file##*/}"
done
for file in sound/00 sound/09 sound/11; do
	[ ! -e $file ] || head -c $(($(wc -c <$file) * 3 / 4)) $file >$file-cut
done
wav() { # NAME CHANNELS RATE (four bytes) DATA: 16 bits
	printf "RIFF\\044\\000\\001\\000WAVEfmt \\020\\000\\000\\000\\001\\000%b\\000%b\\000\\000\\000\\000\\002\\000\\020\\000data%b" "$2" "$3" "$4" >"sound/$1"
}
rate='\0100\0037\0000\0000'
wav silent '\0001' "$rate" '\0004\0000\0000\0000\0000\0000\0000\0000'
wav none '\0001' "$rate" '\0000\0000\0000\0000'
wav channels '\0021' "$rate" '\0042\0000\0000\00000123456789012345678901234567890123'
wav slow '\0001' '\0001\0000\0000\0000' '\0004\0000\0000\00000123'
wav other '\0001' '\0104\0254\0000\0000' '\0004\0000\0000\00000123'
wav more '\0001' "$rate" '\0377\0377\0000\00000123'
{ wav long '\0001' "$rate" '\0200\0076\0000\0000' && repeat 16000 ab >>sound/long; }
printf 'RIFX\000\000\001\000WAVEfmt ' >sound/big
: >sound/empty
printf 'nonsense, and more than twelve bytes of it' >sound/nonsense
printf 'OggS%s' "$(repeat 40 x)" >sound/page
repeat 5 OggSnopageshere >sound/pages
